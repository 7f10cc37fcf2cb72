import { cpSync, mkdirSync, readdirSync } from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

import { expect } from "chai";

import { isExact, ownerOf } from "../../../cli/engine/owner";
import { temporaryFolder } from "./support";

describe("the owner of a stack's objects", () => {
  it("is the same wherever its folder was copied, and another one for each folder and stack", () => {
    const [first, copy, other] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const of = (folder: string, stack = "dev") => ownerOf(stack, { url: pathToFileURL(folder).href });
    const owner = of(first);
    expect(owner.state).to.match(new RegExp(`:${first}$`));
    expect(of(first)).to.deep.equal(owner);
    mkdirSync(copy, { recursive: true });
    cpSync(path.join(first, ".pulumi"), path.join(copy, ".pulumi"), { recursive: true });
    expect(of(copy)).to.deep.equal(owner);
    expect(new Set([owner.id, of(other).id, of(first, "prod").id])).to.have.property("size", 3);
  });

  it("is told of a folder without one, and not written, for whoever only looks", () => {
    const folder = temporaryFolder();
    expect(ownerOf("dev", { url: pathToFileURL(folder).href }, "there").id).to.have.length(16);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("has of a backend's address nothing that is secret", () => {
    const { state } = ownerOf("dev", { url: "postgres://ann:hunter2@db.example.com/states?sslkey=hunter3" });
    expect(state).to.equal("postgres://db.example.com/states");
    expect(isExact({ url: "s3://bucket" })).to.equal(true);
    expect(isExact({ url: "https://api.pulumi.com" })).to.equal(false);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { Interrupted } from "../../../cli/errors";
import { choosePreview, pulumiPreview } from "../../../cli/plan/engineChoice";
import { rejection } from "../support/rejection";

describe("choosePreview", () => {
  const { PATH: searched } = process.env;
  let folder: string;

  /** Puts a Pulumi CLI on the PATH that runs these lines of a shell. */
  const pulumi = (...lines: string[]) => {
    const file = path.join(folder, "pulumi");
    writeFileSync(file, `#!/bin/sh\n${lines.join("\n")}\n`, { mode: 0o755 });
    return file;
  };
  const listing = (...stacks: object[]) => pulumi(`echo '${JSON.stringify(stacks)}'`);

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "engine-choice-"));
    process.env["PATH"] = folder;
  });
  afterEach(() => {
    process.env["PATH"] = searched;
    rmSync(folder, { recursive: true });
  });

  it("takes the CLI that knows the stack", async () => {
    const file = listing({ name: "dev", current: false }, { name: "team/mlplatform/prod", current: true });
    expect(await choosePreview("dev", false)).to.deep.equal({ engine: "pulumi", file, stack: "dev" });
    expect(await choosePreview("prod", false)).to.deep.equal({ engine: "pulumi", file, stack: "prod" });
  });

  it("takes the stack that is selected there, if none is named", async () => {
    listing({ name: "dev", current: false }, { name: "prod", current: true });
    expect(await choosePreview(undefined, false)).to.include({ engine: "pulumi", stack: "prod" });
  });

  it("does without the CLI where it knows no such stack, or none is selected, and says so", async () => {
    listing({ name: "dev", current: false });
    const unknown = await choosePreview("prod", false);
    expect(unknown)
      .to.include({ engine: "none", stack: "prod" })
      .and.have.property("reason")
      .that.includes("no stack prod");
    const unselected = await choosePreview(undefined, false);
    expect(unselected).to.include({
      engine: "none",
      stack: "dev",
      reason: "no stack is selected in the Pulumi CLI",
    });
  });

  it("does without a CLI that fails, and says why", async () => {
    const none = { engine: "none", stack: "dev" };
    const why = (said: string) => ({ ...none, reason: `the Pulumi CLI lists no stacks (${said})` });
    pulumi("echo 'error: the backend is down' >&2", "exit 1");
    expect(await choosePreview("dev", false)).to.deep.equal(why("the backend is down"));
    pulumi("echo 'error: PULUMI_ACCESS_TOKEN must be set for login' >&2", "exit 1");
    expect(await choosePreview("dev", false)).to.deep.equal(why("it is logged in to no backend"));
  });

  it("does without one that is not there, and leaves one alone that is not wanted", async () => {
    expect(await choosePreview("dev", false)).to.include({
      engine: "none",
      reason: "no Pulumi CLI is on the PATH",
    });
    pulumi('echo called > "$(dirname "$0")/called"');
    expect(await choosePreview("dev", true)).to.include({
      engine: "none",
      stack: "dev",
      reason: "asked for",
    });
  });

  it("passes options to pulumi preview, and its exit code back", async () => {
    const file = pulumi('[ "$*" = "preview --stack dev --diff" ] && exit 7');
    expect(await pulumiPreview({ file, stack: "dev" }, ["--diff"])).to.equal(7);
  });

  it("ends pulumi preview when it is told to stop itself", async () => {
    const file = pulumi("exec sleep 30");
    const running = rejection(pulumiPreview({ file, stack: "dev" }, []));
    process.emit("SIGTERM", "SIGTERM");
    expect(await running).to.be.instanceOf(Interrupted);
  });
});

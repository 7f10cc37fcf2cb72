import { expect } from "chai";

import { ownName, referenceOf } from "../../../cli/engine/reference";
import { UserError } from "../../../cli/errors";

describe("a stack's whole name", () => {
  const service = { url: "https://api.pulumi.com" };
  const folder = { url: "file:///state" };

  it("has the stack's own in it, which names its file, and goes to the engine as it is", () => {
    expect(["infra.dev", "acme/team", "acme/mlplatform/lab"].map(ownName)).to.deep.equal([
      ...["infra.dev", "team", "lab"],
    ]);
    expect(["infra.dev", "team", "lab"].map((one) => referenceOf(one, service))).to.deep.equal([
      ...["infra.dev", "acme/mlplatform/team", "acme/mlplatform/lab"],
    ]);
  });

  it("has no organisation in a folder but the one that Pulumi gives it", () => {
    ownName("organization/mlplatform/whole");
    expect(referenceOf("whole", folder)).to.equal("whole");
    ownName("acme/whole");
    expect(() => referenceOf("whole", folder)).to.throw(
      UserError,
      "there is no organisation acme in file:///state",
    );
  });

  it("of another project is refused, and so is what is none", () => {
    expect(() => ownName("acme/other/dev")).to.throw(
      UserError,
      "a stack of project other, and this one is mlplatform",
    );
    for (const name of ["a/b/mlplatform/dev", "acme/", "/dev", "acme//dev"])
      expect(() => ownName(name), name).to.throw(UserError, "neither STACK nor");
  });
});

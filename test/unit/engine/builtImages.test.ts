import { expect } from "chai";

import { withoutImages } from "../../../cli/engine/builtImages";
import type { StateResource } from "../../../cli/engine/state";

describe("a state without images that are not built any more", () => {
  const image = (urn: string): StateResource => ({ urn, type: "docker:index/image:Image" });
  const job: StateResource = {
    ...{ urn: "job", type: "kubernetes:batch/v1:Job", dependencies: ["train", "serve", "space"] },
    propertyDependencies: { spec: ["train", "space"], metadata: [] },
  };

  it("has nothing that depends on them", () => {
    const left = withoutImages([image("train"), image("serve"), job], (urn) => urn === "serve");
    expect(left).to.deep.equal([
      { ...image("serve"), dependencies: [], propertyDependencies: {} },
      { ...job, dependencies: ["serve", "space"], propertyDependencies: { spec: ["space"], metadata: [] } },
    ]);
  });

  it("is as it was where all are built", () => {
    const all = [image("train"), job];
    expect(withoutImages(all, () => true)).to.deep.equal(all);
  });
});

import { expect } from "chai";

import { type ChartArgs, chartImage, chartStorage, installChart } from "../../../components/release";
import { type ChartPin, type ImagePin } from "../../../pins";
import { create, type Created } from "./support/created";
import { installed } from "./support/surroundings";

const pin: ChartPin = {
  name: "thing",
  repository: "oci://registry.example.com/charts",
  version: "1.2.3",
  appVersion: "4.5.6",
  licence: "MIT",
  why: "for the test",
};

const image: ImagePin = {
  repository: "quay.io/team/thing",
  tag: "4.5.6",
  licence: "MIT",
  why: "for the test",
};

function install(chart: ChartPin = pin, args: Partial<ChartArgs> = {}): Promise<Created> {
  return create(() => {
    installChart("it", "thing", chart, { namespace: "n", ...args }, { a: { b: 1, c: [1] } }, {});
  });
}

describe("installChart", () => {
  it("installs an OCI chart in the pinned version, under a fixed name", async () => {
    const created = await install();
    expect(created.list).to.deep.equal(["Release it"]);
    expect(created.inputs("Release")).to.deep.equal({
      ...installed,
      chart: "oci://registry.example.com/charts/thing",
      version: "1.2.3",
      name: "thing",
      namespace: "n",
      values: { a: { b: 1, c: [1] } },
    });
  });

  it("removes a release before another takes its name, and waits for what it installs", async () => {
    const created = await install();
    expect(created.one("Release").options).to.deep.equal({ deleteBeforeReplace: true });
    expect(created.inputs("Release")).not.to.have.any.keys("skipAwait", "disableWebhooks", "skipCrds");
  });

  const mirrors: Record<string, [mirror: string, source: object]> = {
    "another OCI registry": [
      "oci://mirror.example.com/charts",
      { chart: "oci://mirror.example.com/charts/thing" },
    ],
    "another repository": [
      "https://mirror.example.com/charts",
      { chart: "thing", repositoryOpts: { repo: "https://mirror.example.com/charts" } },
    ],
    "a folder": ["./charts/", { chart: "./charts/thing" }],
  };
  for (const [what, [charts, source]] of Object.entries(mirrors)) {
    it(`takes the chart from ${what}, in the same version`, async () => {
      const inputs = (await install(pin, { mirror: { charts } })).inputs("Release");
      expect(inputs).to.deep.include({ ...source, version: "1.2.3" });
      if (what !== "another repository") expect(inputs).not.to.have.any.keys("repositoryOpts");
    });
  }

  it("takes the chart from a classic repository", async () => {
    const chart = { ...pin, repository: "https://charts.example.com" };
    expect((await install(chart)).inputs("Release")).to.deep.include({
      chart: "thing",
      repositoryOpts: { repo: "https://charts.example.com" },
    });
  });

  it("merges the values that are given over the component's own", async () => {
    const created = await install(pin, { values: { a: { c: [2] }, d: null } });
    expect(created.inputs("Release")["values"]).to.deep.equal({ a: { b: 1, c: [2] }, d: null });
  });
});

describe("the values of charts", () => {
  it("have an image in its parts, with the digest behind the tag", () => {
    expect(chartImage(image, undefined)).to.deep.equal({
      registry: "quay.io",
      repository: "team/thing",
      tag: "4.5.6",
      imagePullPolicy: "IfNotPresent",
    });
    const digest = `sha256:${"0".repeat(64)}`;
    expect(
      chartImage({ ...image, digest }, { images: "mirror.example.com/all" }, "pullPolicy"),
    ).to.deep.equal({
      registry: "mirror.example.com/all",
      repository: "team/thing",
      tag: `4.5.6@${digest}`,
      pullPolicy: "IfNotPresent",
    });
  });

  it("name a storage class only where there is one", () => {
    expect(chartStorage({ size: "1Gi" })).to.deep.equal({ size: "1Gi" });
    expect(chartStorage({ size: "1Gi", storageClass: undefined })).to.deep.equal({ size: "1Gi" });
    expect(chartStorage({ size: "1Gi", storageClass: "fast" })).to.deep.equal({
      size: "1Gi",
      storageClass: "fast",
    });
  });
});

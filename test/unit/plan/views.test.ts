import { stripVTControlCharacters } from "node:util";

import { expect } from "chai";

import { changes, diffCounts, diffText } from "../../../cli/plan/diff";
import { evaluate } from "../../../cli/plan/evaluate";
import { golden } from "../../../cli/plan/golden";
import { graphDot, graphSvg } from "../../../cli/plan/graph";
import { chartsOf, imagesOf } from "../../../cli/plan/images";
import { Names, waitsFor } from "../../../cli/plan/names";
import type { RecordedResource, Recording } from "../../../cli/plan/recording";
import { tree } from "../../../cli/plan/tree";
import { charts, imageParts, imageReference, images } from "../../../pins";
import { sampleConfig, sampleProgram } from "./sample";

/** A recording of resources that are nothing but what is given. */
function recordingOf(resources: readonly Partial<RecordedResource>[]): Recording {
  const full = resources.map((resource, index) => ({
    ...{
      type: "kubernetes:core/v1:ConfigMap",
      name: `r${index}`,
      urn: resource.name ?? `r${index}`,
      parent: "",
    },
    ...{
      custom: true,
      provider: "",
      inputs: {},
      secretPaths: [],
      dependencies: [],
      propertyDependencies: {},
    },
    ...{ options: {} },
    ...resource,
  }));
  return { project: "p", stack: "s", resources: full, outputs: {}, secretOutputs: [], notices: [] };
}

describe("views of a recording", () => {
  let sample: Recording;

  before(async () => {
    sample = await evaluate(sampleProgram, { stack: "dev", config: sampleConfig });
  });

  it("a tree has every resource under its parent, with what it is and what it waits for", () => {
    expect(stripVTControlCharacters(tree(sample)).split("\n")).to.deep.equal([
      "├─ Provider cluster  context a-context",
      "├─ Deployment app  apps/app · registry.example.com/app:abc · 2 replicas",
      "│     after Image app, Release release",
      "├─ Image app  registry.example.com/app:abc",
      "├─ Secret connection  apps/connection · host, token, uri · kept on destroy",
      "│     after Release release",
      "└─ PostgresChart db",
      "   ├─ Namespace namespace  postgres · restricted",
      "   ├─ Secret credentials  postgres/postgres-admin · postgres-password, username",
      "   │     after Namespace namespace, RandomPassword password",
      "   ├─ RandomPassword password  24 characters, generated once",
      "   └─ Release release  chart postgres 0.20.1 → postgres · protected",
      "         after Secret credentials",
    ]);
  });

  it("a tree fits into the width that it is given", () => {
    const lines = stripVTControlCharacters(tree(sample, 60)).split("\n");
    expect(lines.filter((line) => line.length > 60)).to.deep.equal([]);
  });

  it("what is waited for anyway is not said again", () => {
    const recording = recordingOf([
      { name: "a" },
      { name: "b", dependencies: ["a"] },
      { name: "c", dependencies: ["a", "b"] },
      { name: "d", dependencies: ["a", "c"] },
    ]);
    const waits = waitsFor(recording, new Names(recording));
    expect(Object.fromEntries(waits)).to.deep.equal({ a: [], b: ["a"], c: ["b"], d: ["c"] });
  });

  it("names are as short as they can be and still differ", () => {
    const component = (name: string, parent = "") => ({ name, parent, custom: false, type: "x:y:Part" });
    const names = new Names(
      recordingOf([
        component("all"),
        component("all-one", "all"),
        component("all-two", "all"),
        { name: "all-one-key", parent: "all-one" },
        { name: "all-two-key", parent: "all-two" },
        { name: "all-two-lock", parent: "all-two" },
      ]),
    );
    const short = ["all-one-key", "all-two-key", "all-two-lock"].map((urn) => names.short(urn));
    expect(short).to.deep.equal(["ConfigMap one-key", "ConfigMap two-key", "ConfigMap lock"]);
  });

  it("images are found in pods and in charts, whole and in parts", () => {
    const { registry, path, tag } = imageParts(images.postgres);
    const pod = (image: string) => ({ spec: { template: { spec: { containers: [{ name: "c", image }] } } } });
    const found = imagesOf(
      recordingOf([
        {
          name: "chart",
          type: "kubernetes:helm.sh/v3:Release",
          inputs: {
            chart: `${charts.postgres.repository}/postgres`,
            version: charts.postgres.version,
            values: {
              image: { registry, repository: path, tag },
              metrics: { enabled: false, image: { registry: "quay.io", repository: "off", tag: "1" } },
              server: { image: "docker.io/seldonio/mlserver", defaultImageVersion: "1.7.1-sklearn" },
              init: { image: "busybox:1" },
            },
          },
        },
        { name: "job", type: "kubernetes:batch/v1:Job", inputs: pod(imageReference(images.mlflow)) },
        { name: "own", type: "docker:index/image:Image", inputs: { imageName: "localhost/own:1" } },
        { name: "app", type: "kubernetes:apps/v1:Deployment", inputs: pod("localhost/own:1") },
        { name: "later", type: "kubernetes:apps/v1:Deployment", inputs: pod("[unknown until deployed]") },
      ]),
    );
    const shown = found.map(({ reference, pin, built }) => [
      reference,
      pin?.licence ?? (built ? "built" : "none"),
    ]);
    expect(shown).to.deep.equal([
      ["busybox:1", "none"],
      [imageReference(images.mlflow), "Apache-2.0"],
      [imageReference(images.postgres), "PostgreSQL"],
      ["docker.io/seldonio/mlserver:1.7.1-sklearn", "Apache-2.0"],
      ["localhost/own:1", "built"],
    ]);
    expect(found.find(({ built }) => built)?.resources).to.deep.equal(["app", "own"]);
  });

  it("images and charts from a mirror are known for what they are", () => {
    const mirror = "registry.example.com/mirror";
    const recording = recordingOf([
      { name: "root", type: "mlplatform:platform:MlPlatform", custom: false, inputs: { mirror } },
      {
        name: "job",
        type: "kubernetes:core/v1:Pod",
        inputs: { spec: { containers: [{ image: imageReference(images.curl, { images: mirror }) }] } },
      },
      {
        name: "release",
        type: "kubernetes:helm.sh/v3:Release",
        inputs: {
          chart: `/charts/mlflow-${charts.mlflow.version}.tgz`,
          version: charts.mlflow.version,
          values: {},
        },
      },
    ]);
    expect(imagesOf(recording)[0]?.pin).to.equal(images.curl);
    expect(chartsOf(recording)[0]?.pin).to.equal(charts.mlflow);
  });

  it("a golden file has names, not URNs, and no hash of a content", () => {
    const recording = recordingOf([
      {
        name: "build",
        type: "docker:index/image:Image",
        inputs: { imageName: "localhost/own:0123456789ab" },
      },
      {
        name: "job",
        type: "kubernetes:batch/v1:Job",
        inputs: { metadata: { name: "train-abcdef0123" }, spec: { image: "localhost/own:0123456789ab" } },
      },
    ]);
    const text = JSON.stringify(golden(recording));
    expect(text).to.include("localhost/own:[content hash]").and.include("train-[content hash]");
    expect(text).not.to.match(/0123/);
    expect(JSON.stringify(golden(sample))).not.to.include("urn:pulumi:");
  });

  it("a picture is valid, the same each time, and has each resource and each wait once", async () => {
    const [first, second] = [await graphSvg(sample), await graphSvg(sample)];
    expect(first).to.equal(second);
    expect(first).to.match(/^<svg [^]*<\/svg>\n$/);
    expect(first).not.to.match(/<!DOCTYPE|<!--|urn:pulumi/);
    expect(first.match(/<g id="node/g)).to.have.length(7);
    expect(first.match(/<g id="clust/g)).to.have.length(1);
    const edges = graphDot(sample).match(/ -> /g);
    expect(edges).to.have.length(6);
  });
});

describe("a difference", () => {
  const before = {
    stack: "dev",
    resources: { a: { inputs: { x: 1 } }, b: { inputs: {} }, same: { after: ["a"] } },
  };
  const after = {
    stack: "dev",
    resources: { a: { inputs: { x: 2 } }, c: { inputs: { y: 3 } }, same: { after: ["a"] } },
  };

  it("is told by resource, with the paths of what changed", () => {
    expect(stripVTControlCharacters(diffText(before, after)).split("\n")).to.deep.equal([
      "~ a",
      "    ~ inputs.x  1 → 2",
      "- b",
      "+ c",
      "    inputs.y  3",
    ]);
    expect(diffCounts(before, after)).to.deep.equal({ added: 1, removed: 1, changed: 1 });
    expect(diffText(before, before)).to.equal("");
  });

  it("names what is not of a resource too", () => {
    const other = { ...before, stack: "prod" };
    expect(stripVTControlCharacters(diffText(before, other))).to.equal(
      '~ stack\n    ~ stack  "dev" → "prod"',
    );
  });

  it("follows the items of a list by name, and takes plain lists for sets", () => {
    const env = (...names: string[]) => names.map((name) => ({ name, value: "v" }));
    expect(changes(env("A", "B"), env("B", "C"))).to.deep.equal([
      { path: "[A]", before: { name: "A", value: "v" } },
      { path: "[C]", after: { name: "C", value: "v" } },
    ]);
    expect(changes(["a", "b"], ["b", "c", "d"], "list")).to.deep.equal([
      { path: "list", before: "a" },
      { path: "list", after: "c" },
      { path: "list", after: "d" },
    ]);
  });

  it("sees a mere change of order", () => {
    expect(changes(["a", "b"], ["b", "a"])).to.have.length(1);
    expect(changes([{ name: "a" }, { name: "b" }], [{ name: "b" }, { name: "a" }])).to.have.length(1);
  });
});

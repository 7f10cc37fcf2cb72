import { readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../cli/paths";
import { allCharts, allImages, otherCharts, otherImages, seldonVersions } from "../../pins";

interface Manager {
  readonly description: string;
  readonly managerFilePatterns: readonly string[];
  readonly matchStrings: readonly string[];
}

const read = (file: string) => readFileSync(path.join(projectDir, file), "utf8");
const settings = JSON.parse(read("renovate.json")) as {
  customManagers: Manager[];
  pip_requirements: { managerFilePatterns: string[] };
  enabledManagers: string[];
};
const text = read("pins.ts");

/** What the managers find in `pins.ts`. */
const found = settings.customManagers.flatMap(({ matchStrings, description }) =>
  matchStrings.flatMap((pattern) =>
    [...text.matchAll(new RegExp(pattern, "g"))].map(({ groups = {}, index }) => ({
      description,
      index,
      ...groups,
    })),
  ),
) as { description: string; index: number; depName?: string; currentValue: string; currentDigest?: string }[];

describe("the updates of what is pinned", () => {
  it("find every chart, image and version of Seldon exactly once", () => {
    const own = (name: string) => found.filter(({ depName }) => depName === name);
    for (const { name, version } of [...allCharts, ...otherCharts].filter(
      ({ name }) => name !== "seldon-core-operator",
    ))
      expect(
        own(name).map(({ currentValue }) => currentValue),
        name,
      ).to.deep.equal([version]);
    const [seldon, others] = [
      allImages.filter(({ repository }) => /seldon-core|rclone-storage/.test(repository)),
      [...allImages, ...otherImages].filter(({ repository }) => !repository.includes("seldonio")),
    ];
    for (const { repository, tag, digest } of others)
      expect(
        own(repository).map((one) => [one.currentValue, one.currentDigest]),
        repository,
      ).to.deep.equal([[tag, digest]]);
    const versions = found.filter(({ description }) => description.startsWith("Seldon Core"));
    expect(versions.map(({ currentValue }) => currentValue)).to.deep.equal(Object.keys(seldonVersions));
    // Its images and its chart have no numbers of their own.
    expect(new Set(seldon.map(({ tag }) => tag))).to.deep.equal(new Set(Object.keys(seldonVersions)));
    const [mlserver, ...more] = own("docker.io/seldonio/mlserver");
    expect(more).to.deep.equal([]);
    for (const { tag } of allImages.filter(({ repository }) => repository.endsWith("/mlserver")))
      expect(tag.startsWith(`${mlserver?.currentValue ?? ""}-`)).to.equal(true);
    expect(new Set(found.map(({ index }) => index)).size, "found twice").to.equal(found.length);
  });

  it("know where the other versions are: npm, Go, Python, workflows, Maven, Jenkins' plugins", () => {
    expect(settings.enabledManagers).to.have.members([
      ...["npm", "github-actions", "gomod", "pip_requirements", "maven", "jenkins"],
      "custom.regex",
    ]);
    const [pattern = ""] = settings.pip_requirements.managerFilePatterns;
    const source = new RegExp(pattern.slice(1, -1));
    const sources = readdirSync(path.join(projectDir, "ml-app"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".in"))
      .map((file) => path.posix.join("ml-app", file));
    expect(sources.length).to.be.above(5);
    expect(sources.filter((file) => !source.test(file))).to.deep.equal([]);
  });
});

describe("the version", () => {
  it("is that of package.json, and the newest of the changelog", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(/^## (\S+?),? /m.exec(read("CHANGELOG.md"))?.[1]).to.equal(version);
  });
});

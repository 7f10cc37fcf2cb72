import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { mlAppDir } from "../../cli/paths";

/** Instructions of a Dockerfile, continued lines joined and comments left out. */
function instructions(image: string): string[] {
  return readFileSync(join(mlAppDir, "house_price", image, "Dockerfile"), "utf8")
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "");
}

const images = ["train", "serve"].map((image) => ({ image, lines: instructions(image) }));

describe("the Dockerfiles", () => {
  it("start from the same base, pinned by digest", () => {
    const bases = new Set(images.map(({ lines }) => lines[0]));
    expect([...bases]).to.have.length(1);
    expect([...bases][0]).to.match(/^ARG PYTHON_IMAGE=python:3\.12\.\d+-slim-\w+@sha256:[0-9a-f]{64}$/);
  });

  for (const { image, lines } of images) {
    const having = (instruction: string) => lines.filter((line) => line.startsWith(`${instruction} `));

    it(`${image}: every stage is built on that base`, () => {
      expect(having("FROM")).to.deep.equal(["FROM ${PYTHON_IMAGE} AS build", "FROM ${PYTHON_IMAGE}"]);
    });

    it(`${image}: runs as a user without rights, named by number so that Kubernetes can tell`, () => {
      expect(having("USER")).to.deep.equal(["USER 8888"]);
    });

    it(`${image}: takes packages by their hashes alone, and no files from elsewhere`, () => {
      const installs = having("RUN").flatMap((line) => line.split("&&").filter((c) => /\binstall\b/.test(c)));
      expect(installs).to.have.length(2);
      for (const command of installs) expect(command).to.include("--require-hashes");
      expect(having("ADD")).to.deep.equal([]);
      expect(lines.join("\n")).not.to.match(/\b(curl|wget)\b|:\/\//);
    });

    it(`${image}: builds with Docker's old builder too`, () => {
      expect(lines.filter((line) => /--(mount|chmod|link)\b|<</.test(line))).to.deep.equal([]);
    });
  }
});

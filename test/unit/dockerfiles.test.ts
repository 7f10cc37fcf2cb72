import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { mlAppDir } from "../../cli/paths";
import { dockerfileOf } from "../../components/images/dockerfile";
import { appImages } from "../../config/models";
import { images as pins } from "../../pins";

/** Instructions of a Dockerfile, continued lines joined and comments left out. */
function instructions(dockerfile: string): string[] {
  return readFileSync(join(mlAppDir, dockerfile), "utf8")
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "");
}

const images = [...appImages, "mlflow-server-0123456789ab", "frontend"].map((image) => ({
  image,
  lines: instructions(dockerfileOf(image)),
}));

describe("the Dockerfiles", () => {
  it("start from the base that is pinned, by its digest", () => {
    const { tag, digest } = pins.python;
    expect(tag).to.match(/^3\.12\.\d+-slim-\w+$/);
    expect(digest).to.match(/^sha256:[0-9a-f]{64}$/);
    for (const { image, lines } of images)
      expect(lines[0], image).to.equal(`ARG PYTHON_IMAGE=python:${tag}@${digest}`);
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

    it(`${image}: builds no package, so that no code of one runs`, () => {
      const commands = having("RUN").flatMap((line) => line.split("&&"));
      for (const command of commands.filter((one) => /\bpip (install|sync)\b/.test(one)))
        expect(command).to.include("--only-binary :all:");
    });

    it(`${image}: copies files that it names, so that its content is known before it is built`, () => {
      const copied = having("COPY").filter((line) => !line.startsWith("COPY --from=build "));
      expect(copied).not.to.have.length(0);
      for (const line of copied) {
        const names = line.split(/\s+/).slice(1, -1);
        for (const name of names) expect(name, line).to.match(/^(?!-)[^*]*\*?\.\w+$/);
      }
    });

    it(`${image}: is given what it copies, and nothing else`, () => {
      const ignored = instructions(`${dockerfileOf(image)}.dockerignore`);
      const copied = having("COPY")
        .filter((line) => !line.startsWith("COPY --from"))
        .flatMap((line) => line.split(/\s+/).slice(1, -1));
      expect(ignored).to.deep.equal(["*", ...copied.map((name) => `!${name}`)]);
    });

    it(`${image}: builds with Docker's old builder too`, () => {
      expect(lines.filter((line) => /--(mount|chmod|link)\b|<</.test(line))).to.deep.equal([]);
    });
  }
});

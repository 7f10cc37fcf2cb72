import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { mlAppDir, projectDir } from "../../../cli/paths";
import * as own from "../../../components/images/dockerfile";
import { type AppImageName, appImages } from "../../../config/models";

const source = path.join("components", "images", "dockerfile.ts");

describe("the files of an image", () => {
  for (const image of appImages) {
    it(`${image}: are what its Dockerfile copies, without repetition and in order`, () => {
      const files = own.copiedFiles(own.dockerfileOf(image));
      expect(files).to.deep.equal([...new Set(files)].sort());
      const text = readFileSync(path.join(mlAppDir, own.dockerfileOf(image)), "utf8");
      const named = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = ""]) =>
        list.split(" "),
      );
      expect(named).not.to.have.length(0);
      const pattern = (name: string) => new RegExp(`^${name.replaceAll(".", "\\.").replace("*", "[^/]*")}$`);
      for (const name of named)
        expect(
          files.some((file) => pattern(name).test(file)),
          name,
        ).to.equal(true);
      for (const file of files)
        expect(
          named.some((name) => pattern(name).test(file)),
          file,
        ).to.equal(true);
    });

    it(`${image}: are code and lock file, and neither tests nor the other image's`, () => {
      const folder = path.posix.dirname(own.dockerfileOf(image));
      const other = { serve: "train", train: "serve" }[path.posix.basename(folder)] ?? "";
      const files = own.copiedFiles(own.dockerfileOf(image));
      expect(files).to.include(`${folder}/requirements.txt`);
      expect(
        files.filter((file) => /\/tests\/|\.pyc$/.test(file) || file.includes(`/${other}/`)),
      ).to.deep.equal([]);
    });
  }
});

describe("the content hash of an image", () => {
  let folder: string;
  let copy: typeof own;

  /** A project of its own, whose files may be changed. */
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "content-hash-"));
    cpSync(mlAppDir, path.join(folder, "ml-app"), {
      recursive: true,
      filter: (file) => !/(__pycache__|\.venv|tests|\.[a-z]+_cache)$/.test(file),
    });
    mkdirSync(path.join(folder, path.dirname(source)), { recursive: true });
    cpSync(path.join(projectDir, source), path.join(folder, source));
    cpSync(path.join(projectDir, "config"), path.join(folder, "config"), { recursive: true });
    cpSync(path.join(projectDir, "pins.ts"), path.join(folder, "pins.ts"));
    symlinkSync(path.join(projectDir, "node_modules"), path.join(folder, "node_modules"));
    copy = (await import(path.join(folder, source))) as typeof own;
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  const inCopy = (file: string) => path.join(folder, "ml-app", file);

  function hash(image: AppImageName, platform?: string, buildArgs: Record<string, string> = {}): string {
    return copy.contentHash(image, platform, buildArgs);
  }

  /** The hash with a file changed, which is restored. */
  function hashWith(image: AppImageName, file: string): string {
    const content = readFileSync(inCopy(file));
    appendFileSync(inCopy(file), "\n");
    try {
      return hash(image);
    } finally {
      writeFileSync(inCopy(file), content);
    }
  }

  for (const image of appImages) {
    it(`${image}: is the same for the same files, wherever they lie`, () => {
      expect(hash(image)).to.match(/^[0-9a-f]{12}$/);
      expect(hash(image)).to.equal(hash(image));
      expect(hash(image)).to.equal(own.contentHash(image, undefined, {}));
    });

    it(`${image}: changes with its Dockerfile and with each file that is copied`, () => {
      const before = hash(image);
      const dockerfile = own.dockerfileOf(image);
      const files = [dockerfile, ...copy.copiedFiles(dockerfile)];
      const hashes = files.map((file) => hashWith(image, file));
      expect(hashes).not.to.include(before);
      expect(new Set(hashes).size).to.equal(files.length);
      expect(hash(image)).to.equal(before);
    });

    it(`${image}: does not change with other files of the project`, () => {
      const before = hash(image);
      const copied = copy.copiedFiles(own.dockerfileOf(image));
      const others = ["pyproject.toml", "environments/tracking.in", ...appImages.map(own.dockerfileOf)];
      for (const file of others.filter((one) => one !== own.dockerfileOf(image))) {
        expect(copied).not.to.include(file);
        expect(hashWith(image, file), file).to.equal(before);
      }
    });

    it(`${image}: changes when a file comes that a pattern of its Dockerfile takes`, () => {
      const before = hash(image);
      const file = `${path.posix.dirname(own.dockerfileOf(image))}/further.py`;
      writeFileSync(inCopy(file), "");
      expect(copy.copiedFiles(own.dockerfileOf(image))).to.include(file);
      expect(hash(image)).not.to.equal(before);
      rmSync(inCopy(file));
      expect(hash(image)).to.equal(before);
    });

    it(`${image}: changes with platform and build arguments, and not with their order`, () => {
      const hashes = [
        hash(image),
        hash(image, "linux/amd64"),
        hash(image, "linux/arm64"),
        hash(image, undefined, { A: "1" }),
        hash(image, undefined, { A: "2" }),
        hash(image, undefined, { A: "1", B: "2" }),
      ];
      expect(new Set(hashes).size).to.equal(hashes.length);
      expect(hash(image, undefined, { B: "2", A: "1" })).to.equal(hashes.at(-1));
    });
  }

  it("differs from image to image", () => {
    expect(new Set(appImages.map((image) => hash(image))).size).to.equal(appImages.length);
  });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { plainFile } from "../../../cli/plainFile";

describe("a file that the user has named", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-plain-"));
  const file = path.join(folder, "rows.csv");
  writeFileSync(file, "a\n1\n");

  it("is one that is there and comes to an end", () => {
    expect(plainFile("--csv", file)).to.equal(file);
  });

  it("is nothing else, which is said", () => {
    const pipe = path.join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const large = path.join(folder, "large.csv");
    writeFileSync(large, "");
    truncateSync(large, 3 * 2 ** 30);
    for (const [name, reason] of [
      [path.join(folder, "none"), "there is no such file or folder (ENOENT)"],
      [path.join(file, "a"), "a part of its path is a file, and no folder (ENOTDIR)"],
      [folder, "is a folder. Name a file in it"],
      [pipe, "is a pipe, which may never end"],
      ["/dev/zero", "is a device, which may never end"],
      [large, "has 3221225472 bytes, and a model takes less than 100 at once"],
    ] as const)
      expect(() => plainFile("--csv", name, 100), name)
        .to.throw(/^--csv: .*\.$/)
        .with.property("message")
        .that.includes(name)
        .and.includes(reason);
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { readText } from "../../../config/readText";
import { homeDir } from "../../../cli/paths";
import { systemFailure } from "../../../cli/systemFailure";

describe("what the system refuses", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-system-"));
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  const thrown = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error("nothing was refused");
  };
  const failure = (code: string, syscall: string, at: string) =>
    Object.assign(new Error(code), { code, syscall, path: at });

  it("is a sentence: what cannot be done, where, why", () => {
    for (const [work, told] of [
      [() => readFileSync(`${file}s`), `${file}s cannot be opened: there is no such file or folder (ENOENT)`],
      [
        () => readFileSync(`${file}/x`),
        `${file}/x cannot be opened: a part of its path is a file, and no folder`,
      ],
      [() => readFileSync(folder), "a file cannot be read: it is a folder, and a file is needed (EISDIR)"],
      [
        () => mkdirSync(path.join(file, "x"), { recursive: true }),
        "cannot be written: a part of its path is a file",
      ],
      [
        () => {
          renameSync(file, folder);
        },
        `${folder} cannot be put in its place: `,
      ],
      [
        () => readText("/dev/zero"),
        "/dev/zero cannot be opened: it is a pipe or a device, which may never end, and a file is needed (EFTYPE)",
      ],
      [() => execFileSync("no-such-tool"), "the program no-such-tool is not here. Install it"],
      [() => execFileSync(file), `${file} cannot be started: you have no right to (EACCES). See who owns it`],
    ] as const)
      expect(systemFailure(thrown(work)), told).to.contain(told);
    expect(
      systemFailure(
        thrown(() => readFileSync(folder)),
        "rows.csv",
      ),
    ).to.match(/^rows\.csv cannot be read: /);
  });

  it("says where else may be written, where that is for the user to choose", () => {
    const at = path.join(homeDir(), "local", "state.json");
    for (const code of ["ENOSPC", "EROFS", "EDQUOT"]) {
      expect(systemFailure(failure(code, "open", at)), code).to.match(/MLPLATFORM_HOME names another folder/);
      expect(systemFailure(failure(code, "open", file)), code).to.not.contain("MLPLATFORM_HOME");
    }
    expect(systemFailure(failure("EMFILE", "open", file))).to.match(/ulimit -n 4096$/);
  });

  it("is nothing else", () => {
    for (const error of [new Error("no"), "ENOENT", undefined, failure("ECONNREFUSED", "connect", file)])
      expect(systemFailure(error)).to.equal(undefined);
  });
});

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** Programs of a test: the only ones on the PATH. Each writes down what it was called with. */
export class FakeTools {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "mlplatform-tools-"));
  private readonly before = process.env["PATH"];

  constructor() {
    mkdirSync(path.join(this.folder, "bin"));
    process.env["PATH"] = path.join(this.folder, "bin");
  }

  /** Adds a program. @param script what it does then, for a shell without any other program. */
  add(name: string, script = ""): this {
    const file = path.join(this.folder, "bin", name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> '${this.log}'\n${script}\n`);
    chmodSync(file, 0o755);
    return this;
  }

  /** All calls so far, with their arguments. */
  get calls(): string[] {
    return existsSync(this.log) ? readFileSync(this.log, "utf8").trim().split("\n") : [];
  }

  /** Gives the PATH back. */
  dispose(): void {
    process.env["PATH"] = this.before;
  }

  private get log(): string {
    return path.join(this.folder, "calls");
  }
}

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

import { expect } from "chai";

import { findPython } from "../../cli/interpreter";
import { homeDir } from "../../cli/paths";
import { TestPlatform, lastEvent, stepEvent } from "./support/platform";

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: "x86_64", arm64: "aarch64" };

describe("npm run up, on a machine without a Python that fits", function () {
  this.timeout(180_000);
  const platform = new TestPlatform({ shareEnvironments: false });
  const bin = path.join(platform.home, "bin");
  const tool = (name: string, to: string) => {
    mkdirSync(bin, { recursive: true });
    symlinkSync(to, path.join(bin, name));
  };
  after(() => platform.dispose());

  /** A mirror of what uv fetches, on this machine: its Python hands on to the one that is here. @returns its list. */
  async function mirror(): Promise<string> {
    const { file, version } = await findPython();
    const [major, minor, patch] = version.split(".").map(Number);
    const name = `python${major}.${minor}`;
    const folder = path.join(platform.home, "mirror");
    const lib = path.join(folder, "python", "lib", name);
    mkdirSync(lib, { recursive: true });
    mkdirSync(path.join(folder, "python", "bin"));
    writeFileSync(path.join(folder, "python", "bin", name), `#!/bin/sh\nexec ${realpathSync(file)} "$@"\n`, {
      mode: 0o755,
    });
    const header =
      "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n";
    writeFileSync(path.join(lib, "_sysconfigdata__linux_.py"), header);
    const archive = path.join(folder, "python.tar.gz");
    execFileSync("tar", ["czf", archive, "-C", folder, "python"]);
    const family = architectures[process.arch] ?? "";
    const built = {
      ...{ name: "cpython", arch: { family, variant: null }, os: "linux", libc: "gnu", major, minor, patch },
      ...{ prerelease: "", url: pathToFileURL(archive).href, sha256: null, variant: null, build: "1" },
    };
    const list = path.join(folder, "list.json");
    writeFileSync(list, JSON.stringify({ [`cpython-${version}-linux-${family}-gnu`]: built }));
    return list;
  }

  it("has uv bring one, from a mirror where that is named", async function () {
    if (process.platform !== "linux" || architectures[process.arch] === undefined) return this.skip(); // The list above is of Linux.
    const list = await mirror();
    tool("uv", realpathSync(path.join(homeDir(), "env", "uv", "bin", "uv")));
    for (const name of ["sh", "ps", "git"])
      tool(name, execFileSync("which", [name], { encoding: "utf8" }).trim());
    const env = { PATH: bin, UV_PYTHON_DOWNLOADS_JSON_URL: list };
    const command = platform.start(["up", "--once", "--json", "--no-frontend"], env);
    // The other tests show what then works in the environments.
    const made = command.event(stepEvent("Python environment tracking", "done"));
    await made.catch(() => undefined);
    command.child.kill("SIGINT");
    const { events, stderr } = await command.finished();
    const { version } = await findPython();
    const detail = events.find(stepEvent("Python environment tracking", "done"))?.["detail"];
    expect(detail, stderr).to.equal(`Python ${version}, installed`);
    const mark = path.join(platform.home, "env", "tracking", ".installed.json");
    expect(JSON.parse(readFileSync(mark, "utf8"))).to.include({ python: version });
  });

  it("says what was found where uv cannot, and what to do", async () => {
    const list = path.join(platform.home, "none.json");
    writeFileSync(list, "{}");
    const other = new TestPlatform({ shareEnvironments: false });
    const env = { PATH: bin, UV_PYTHON_DOWNLOADS_JSON_URL: list };
    const { code, events } = await other.run(["up", "--once", "--json"], env);
    await other.dispose();
    expect(code).to.equal(1);
    expect(lastEvent(events, "error")["message"])
      .to.contain("no Python 3.12 or 3.11 here. Looked for python3.12, python3.11, python3, python.")
      .and.contain("uv could not bring one: Python 3.12 by uv: it failed")
      .and.contain("--python PATH");
  });
});

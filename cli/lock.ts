/** `npm run lock`: compiles the Python lock files with the uv that installs from them. Passes on `--upgrade`. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";

import { messageOf } from "./errors";
import { mlAppDir } from "./paths";
import { Progress } from "./progress";
import { Environments } from "./python";
import { installHere } from "./surroundings";

async function main(): Promise<void> {
  const progress = Progress.for({});
  const environments = new Environments(new AbortController().signal);
  const uv = await progress.step("uv", (step) => environments.packageInstaller(step));
  progress.stop();
  const script = path.join(mlAppDir, "environments", "lock.sh");
  const env = { ...installHere(), ...uv.env, UV: uv.file };
  process.exitCode = spawnSync(script, process.argv.slice(2), { env, stdio: "inherit" }).status ?? 1;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});

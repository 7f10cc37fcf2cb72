import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";

import { projectDir } from "../../../cli/paths";

/** A process of the tests: forked, and gone when they say so. */
export interface Child {
  readonly process: ChildProcess;
  /** Ends it at once, and waits until it has ended. */
  kill(): Promise<void>;
  /** Whether it still runs. */
  alive(): boolean;
}

/** Starts a script of the tests, given from the project's folder. */
export function start(script: string, env: Readonly<Record<string, string>> = {}): Child {
  const child = fork(path.join(projectDir, script), {
    execArgv: ["--require", path.join(projectDir, "load.cjs")],
    env: { ...process.env, ...env },
    cwd: projectDir,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
  });
  return {
    process: child,
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    alive: () => child.exitCode === null && child.signalCode === null,
  };
}

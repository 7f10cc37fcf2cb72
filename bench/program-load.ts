import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { UserError } from "../cli/errors";
import { projectDir } from "../cli/paths";
import { readStackConfig } from "../cli/plan/stackFiles";

/** The programs that are compared, from the project's folder. */
export const programs = { empty: "bench/program-empty.ts", ours: "index.ts" } as const;
export type Which = keyof typeof programs;
export const which = Object.keys(programs) as Which[];

/** What it takes to load and evaluate a program, from the start of its process. */
export interface Cost {
  readonly cpuSeconds: number;
  /** At its peak. */
  readonly megabytes: number;
  /** Without the stack itself. */
  readonly resources: number;
}

/**
 * Loads both programs several times, each in a process of its own that is started as Pulumi starts it. They take turns,
 * so that both meet the machine in the same states.
 *
 * @param say is told what is being done.
 * @throws UserError a program fails.
 */
export async function loadPrograms(
  runs: number,
  say: (line: string) => void,
): Promise<Record<Which, readonly Cost[]>> {
  const config = JSON.stringify(readStackConfig("dev").config);
  const costs: Record<Which, Cost[]> = { empty: [], ours: [] };
  say("loading each program once, for what is kept of it from then on");
  for (const one of which) await loadOnce(one, config);
  for (let run = 1; run <= runs; run += 1) {
    say(`loading, run ${run} of ${runs}`);
    for (const one of which) costs[one].push(await loadOnce(one, config));
  }
  return costs;
}

function loadOnce(one: Which, config: string): Promise<Cost> {
  const child = fork(
    path.join(projectDir, "bench", "program-run.ts"),
    [path.join(projectDir, programs[one]), config],
    { cwd: projectDir, execArgv: nodeArgs(), stdio: ["ignore", "ignore", "pipe", "ipc"] },
  );
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => {
    errors += text.toString();
  });
  return new Promise((resolve, reject) => {
    let cost: Cost | undefined;
    child.once("message", (message) => {
      cost = message as Cost;
    });
    child.once("close", () => {
      if (cost === undefined) reject(new UserError(`${programs[one]} cannot be loaded: ${errors.trim()}`));
      else resolve(cost);
    });
  });
}

/** What stands before the program when Pulumi starts Node, as `Pulumi.yaml` says it. */
function nodeArgs(): string[] {
  const { runtime } = parse(readFileSync(path.join(projectDir, "Pulumi.yaml"), "utf8")) as {
    runtime: { options: { nodeargs: string } };
  };
  return runtime.options.nodeargs.split(" ");
}

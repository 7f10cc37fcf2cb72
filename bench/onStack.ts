import * as path from "node:path";

import type { Cluster } from "../cli/cluster/cluster";
import { findOrBuildEngine } from "../cli/engine/engine";
import { type CommandName, npmRun } from "../test/e2e/commands";
import { leftovers } from "../test/e2e/leftovers";
import { until } from "../test/e2e/pods";
import { chooseProviders } from "../test/e2e/providers";
import { TestStack } from "../test/e2e/testStack";
import { removeVisitors } from "../test/e2e/visitor";
import { emptyCluster } from "./up";

/** Runs one of the project's commands on the bench's stack. */
export type Run = (name: CommandName, ...words: readonly string[]) => Promise<unknown>;

/** What a bench works with. */
export interface OnStack {
  readonly cluster: Cluster;
  readonly stack: TestStack;
  readonly run: Run;
}

/**
 * Measures on a stack of the bench's own in the current context's cluster, which must be empty and is emptied again.
 *
 * @throws UserError a tool or an image is missing, or the cluster is not empty.
 */
export async function onStack<T>(
  say: (line: string) => void,
  measure: (on: OnStack) => Promise<T>,
): Promise<T> {
  const { cluster, context } = await emptyCluster();
  const engine = await findOrBuildEngine({ detail: say }, new AbortController().signal);
  process.env["PATH"] = `${path.dirname(engine.file)}${path.delimiter}${process.env["PATH"] ?? ""}`;
  const stack = new TestStack(context);
  const providers = await chooseProviders(engine, cluster.context, stack.prebuilt);
  say(`with ${providers.description}`);
  stack.moveIn();
  const run: Run = (name, ...words) => npmRun(name, [...words, "--stack", stack.name], () => undefined);
  try {
    return await measure({ cluster, stack, run });
  } finally {
    await removeVisitors(cluster).catch(() => undefined);
    say("taking it down");
    await run("down", "--confirm", stack.name).catch(() => undefined);
    providers.stop();
    // Volumes are removed behind their claims. What could not be taken down is nobody's without its state.
    await until("nothing is left", async () => (await leftovers(cluster)).length === 0).then(
      () => {
        stack.remove();
      },
      () => {
        say(stack.kept);
      },
    );
  }
}

import { setMaxListeners } from "node:events";

import { prepareEngine } from "../cli/deploy/prepared";
import { Progress } from "../cli/progress";
import { type Environment, Environments } from "../cli/python";
import { prepareGroovy } from "./groovy";

/** What tests and checks may need on this machine before they begin: Pulumi's engine, a parser of Groovy, a Python environment. */
export type Need = string;

/** Building the engine writes hundreds of lines; a log keeps one a minute. */
const pace = { newsMilliseconds: 60_000, reminderMilliseconds: 60_000 };

/**
 * Makes what is needed, side by side, and finds what is made. It is a step of its own, so that no test's limit
 * includes an installation.
 *
 * @returns the environments, by name.
 * @throws UserError something cannot be had.
 */
export async function prepare(needs: readonly Need[]): Promise<(name: string) => Environment> {
  const progress = Progress.for({}, pace);
  const { signal } = new AbortController();
  // Each environment listens to it while it is installed; Node takes more than ten for a leak.
  setMaxListeners(needs.length + 1, signal);
  const environments = new Environments(signal);
  const made = new Map<string, Environment>();
  const make = async (need: Need): Promise<void> => {
    if (need === "engine") {
      await prepareEngine(progress, signal);
      return;
    }
    if (need === "groovy") {
      await progress.step("parser of Groovy", prepareGroovy);
      return;
    }
    const environment = await progress.step(`Python environment ${need}`, (step) =>
      environments.ensure(need, step),
    );
    made.set(need, environment);
  };
  try {
    await Promise.all([...new Set(needs)].map(make));
  } finally {
    progress.stop();
  }
  return (name) => {
    const environment = made.get(name);
    if (environment === undefined) throw new Error(`${name} was not asked for`);
    return environment;
  };
}

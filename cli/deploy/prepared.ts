/** What every command that runs the engine needs first. */
import { type Engine, findOrBuildEngine } from "../engine/engine";
import { installPlugins, pluginsFor } from "../engine/plugins";
import type { Progress } from "../progress";

/** Pulumi's engine, found or put there. @throws UserError it cannot be had. */
export function prepareEngine(progress: Progress, signal: AbortSignal): Promise<Engine> {
  return progress.step("Pulumi engine", async (step) => {
    const engine = await findOrBuildEngine(step, signal);
    step.detail(`${engine.version}, ${engine.origin === "path" ? "on the PATH" : "the project's own"}`);
    return engine;
  });
}

/** The providers of resources, in the versions of the project's packages. @throws UserError one cannot be had. */
export function prepareProviders(
  engine: Engine,
  resources: readonly { readonly type: string; readonly custom?: boolean }[],
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const types = resources.filter(({ custom }) => custom === true).map(({ type }) => type);
  return progress.step("providers", (step) => installPlugins(engine, pluginsFor(types), step, signal));
}

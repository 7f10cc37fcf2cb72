import { type EvaluateOptions, evaluate } from "../../../cli/plan/evaluate";
import type { Recording } from "../../../cli/plan/recording";

export type { RecordedResource, Recording } from "../../../cli/plan/recording";

/**
 * Runs the program to its end against mocks, for the stack "test". A call of any provider function is an error.
 *
 * Not a preview, unless asked for: ids and generated secrets are made up, so that all of the program runs, and
 * secrets are recorded with their values. Which inputs are secrets is said by `secretPaths`.
 */
export function record(
  program: () => unknown,
  config: Record<string, string>,
  options: Partial<EvaluateOptions> = {},
): Promise<Recording> {
  return evaluate(program, { stack: "test", preview: false, reveal: true, ...options, config });
}

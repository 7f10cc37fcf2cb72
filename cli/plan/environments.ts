/** Environments of Pulumi ESC, which give a stack values that are not in its file: https://www.pulumi.com/docs/esc/ */
import { UserError } from "../errors";
import type { StackConfig } from "./stackFiles";

/** The environments that a stack's file names: a list of them, or one written there that may import others. */
export function environmentsOf(written: unknown): string[] {
  if (written === undefined || written === null) return [];
  if (Array.isArray(written)) return written.map(String);
  const { imports } = written as { readonly imports?: unknown };
  const imported = Array.isArray(imports)
    ? imports.map((one) => (typeof one === "string" ? one : "another one"))
    : [];
  return [...imported, "its own"];
}

/** What is not known of a stack without the engine; undefined if all is. */
export function unknownHere({ stack, environments }: StackConfig): string | undefined {
  if (environments.length === 0) return undefined;
  return (
    `what Pulumi.${stack}.yaml takes from environments of Pulumi ESC (${environments.join(", ")}) is not known here, as only ` +
    "the engine reads them"
  );
}

/**
 * Sees that all is known of a stack that is to be changed: what would be removed is told by what is declared.
 *
 * @throws UserError it takes values from environments.
 */
export function requireKnown(config: StackConfig): void {
  const what = unknownHere(config);
  if (what === undefined) return;
  throw new UserError(
    `${what}, and it must be known what a stack declares before it is changed: bring the values into the file, or let Pulumi ` +
      `itself do it, pulumi up --stack ${config.stack}. (npm run preview -- --stack ${config.stack} shows what there is ` +
      "without them.)",
  );
}

/** Environments of Pulumi ESC, which give a stack values that are not in its file: https://www.pulumi.com/docs/esc/ */
import { knownInstead } from "../../config/words";
import type { StackConfig } from "./stackFiles";

const known = ["description", "imports", "values"];

/** What is wrong with the environments of a stack's file, which the engine would tell only when it is asked. */
export function environmentProblems(written: unknown): string[] {
  if (written === undefined || written === null) return [];
  if (typeof written === "string")
    return [
      `"environment" is for environments of Pulumi ESC, and a list; whose defaults hold says config: mlplatform:environment.`,
    ];
  if (typeof written !== "object")
    return ["environment must be a list of names, or a group with imports and values."];
  if (Array.isArray(written)) return wrongNames("environment", written);
  const { imports = [], values = {} } = written as { readonly imports?: unknown; readonly values?: unknown };
  return [
    ...Object.keys(written)
      .filter((key) => !known.includes(key))
      .map((key) => `environment.${key} is not known; ${knownInstead(key, known)}.`),
    ...(Array.isArray(imports)
      ? wrongNames("environment.imports", imports)
      : ["environment.imports must be a list of names."]),
    ...(typeof values === "object" && !Array.isArray(values)
      ? []
      : ["environment.values must be a group of keys."]),
  ];
}

function wrongNames(place: string, names: readonly unknown[]): string[] {
  return names.flatMap((one, index) =>
    nameOf(one) ? [] : [`${place}[${index}] must be the name of an environment.`],
  );
}

/** The environment that an import names, also one with a word on how it is merged; undefined if it names none. */
function nameOf(one: unknown): string | undefined {
  if (typeof one === "string") return one;
  if (typeof one !== "object" || one === null) return undefined;
  const [[name, how] = [], ...others] = Object.entries(one);
  return others.length === 0 && typeof how === "object" ? name : undefined;
}

/** The environments that a stack's file names: a list of them, or one written there that may import others. */
export function environmentsOf(written: unknown): string[] {
  if (written === undefined || written === null) return [];
  if (Array.isArray(written)) return written.flatMap((one) => nameOf(one) ?? []);
  const { imports, values } = written as { readonly imports?: unknown; readonly values?: object | null };
  const { pulumiConfig: given = {} } = (values ?? {}) as { readonly pulumiConfig?: object };
  const own = ["its own", ...Object.keys(given)].join(" ");
  return [...environmentsOf(imports), ...(Object.keys(values ?? {}).length === 0 ? [] : [own])];
}

/** What is not known of a stack without the engine; undefined if all is. */
export function unknownHere({ stack, environments }: StackConfig): string | undefined {
  if (environments.length === 0) return undefined;
  return (
    `what Pulumi.${stack}.yaml takes from environments of Pulumi ESC (${environments.join(", ")}) is not known here, as only ` +
    "the engine reads them"
  );
}

/** Configurations that the engine has read for this run of the program, with all that comes from environments. */
const opened = new Map<string, Pick<StackConfig, "config" | "secretKeys">>();

/** From now on a stack's configuration is what the engine has read. */
export function keepOpened(
  stack: string,
  { config, secretKeys }: Pick<StackConfig, "config" | "secretKeys">,
): void {
  opened.set(stack, { config, secretKeys });
}

/** A stack's configuration with what the engine has read of its environments, if it has done so. */
export function withOpened(written: StackConfig): StackConfig {
  const read = opened.get(written.stack);
  return read === undefined || written.environments.length === 0
    ? written
    : { ...written, ...read, environments: [] };
}

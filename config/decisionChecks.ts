import type { Understood } from "./checks";
import { partsOf } from "./graph";
import type { Decision, Decisions } from "./lock";
import { misfits, unprepared } from "./misfits";
import type { Mistake } from "./mistakes";
import type { ModelConfig } from "./models";
import { champion, registryScheme } from "./registryNames";
import type { Path } from "./walk";

/** A place of the configuration that names a model's files. */
export interface NamedFiles {
  readonly path: Path;
  readonly address: string;
  /** The model that serves them, by itself where it is a node of a graph. */
  readonly model: ModelConfig;
}

/** What a model serves where a predictor says nothing else: what it names, or else the champion of its training. */
export function servedOf({ name, model, training }: ModelConfig): string | undefined {
  return model ?? (training === undefined ? undefined : `${registryScheme}${name}@${champion}`);
}

/** Where a model names files: for all its versions, and for some of them. */
export function filesNamed(model: ModelConfig): NamedFiles[] {
  if (model.graph !== undefined)
    return partsOf(model).flatMap((part) =>
      filesNamed(part.model).map((named) => ({ ...named, path: [...part.path, ...named.path] })),
    );
  const { predictors = [] } = model;
  const named = (path: Path, address: string | undefined) =>
    address === undefined ? [] : [{ path, address, model }];
  const everyOneOwn = predictors.length > 0 && predictors.every((one) => one.model !== undefined);
  return [
    ...(everyOneOwn ? [] : named([model.model === undefined ? "training" : "model"], servedOf(model))),
    ...predictors.flatMap((one, index) => named(["predictors", index, "model"], one.model)),
  ];
}

/** What a model wishes for of the registry. */
export function wishesOf(model: ModelConfig): string[] {
  const wishes = filesNamed(model).flatMap(({ address }) =>
    address.startsWith(registryScheme) ? [address] : [],
  );
  return [...new Set(wishes)];
}

/** What the program must know of a decision. One that it only assumes has no version. */
export type Served = Pick<Decision, "files"> &
  Partial<Pick<Decision, "compared" | "environment" | "metrics" | "sha256" | "version">>;

/**
 * Decisions with what would stand there for all that nobody has decided on yet: a stack can so be looked at, and its
 * needs be known, before anything is trained.
 */
export function assumed(
  models: readonly ModelConfig[],
  { modelBucket }: { readonly modelBucket: string },
  decisions: Decisions,
): Readonly<Record<string, Served>> {
  const wishes = models.flatMap(wishesOf);
  const missing = wishes.map((wish) => [wish, { files: `s3://${modelBucket}/${notDecided}` }] as const);
  return { ...Object.fromEntries(missing), ...decisions };
}

/** Stands in the address of files that are only assumed. */
export const notDecided = "not-decided-yet";

/** The wishes of a model for which nothing has been decided. */
export function undecided(model: ModelConfig, decisions: Readonly<Record<string, unknown>>): string[] {
  return wishesOf(model).filter((wish) => decisions[wish] === undefined);
}

/** What a server cannot load, or would answer otherwise, of what was decided. */
export function checkDecisions({ models = [], objectStore }: Understood, decisions: Decisions): Mistake[] {
  return models.flatMap((model, index) => {
    if (model === undefined) return [];
    const unserved = filesNamed(model).flatMap(({ path, address, model: server }) => {
      const decision = decisions[address];
      const wrong =
        decision === undefined
          ? []
          : [...misfits(server, decision, objectStore), ...unprepared(server, decision)];
      return wrong.map((problem): Mistake => ({ path, message: `is ${address}, ${problem}` }));
    });
    return [...unserved, ...sameVersionTwice(model, decisions)].map(({ path, message }) => ({
      path: ["models", index, ...path],
      message,
    }));
  });
}

/** Predictors of the same version, by whatever names, have nothing to compare. */
function sameVersionTwice(model: ModelConfig, decisions: Decisions): Mistake[] {
  const { predictors = [] } = model;
  const versions = predictors.map(({ name, model: own }) => {
    const address = own ?? servedOf(model) ?? "";
    const decided = decisions[address];
    // Versions of the same files are versions of their own.
    const version = decided === undefined ? address : `${decided.files} ${decided.version}`;
    return { name, address, version };
  });
  return versions.flatMap(({ name, address, version }, index) => {
    const first = versions.find((one) => one.version === version);
    // Of one name are two mistakes of another kind.
    if (first === undefined || first === versions[index] || first.name === name) return [];
    const which = first.address === address ? "the version that" : `${address}, the version that`;
    return [
      {
        path: ["predictors", index],
        message: `is of ${which} ${first.name} serves: name another one under model, or leave it out`,
      },
    ];
  });
}

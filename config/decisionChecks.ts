import type { Understood } from "./checks";
import type { Decision, Decisions } from "./lock";
import { servedBy } from "./manifests";
import type { Mistake } from "./mistakes";
import type { ModelConfig } from "./models";
import { champion, registryScheme } from "./registryNames";
import { bucketsOf } from "./modelChecks";
import { isPickle, libraryOf, prepackagedServers, serverFor, serverReads, untrustedLibrary } from "./servers";
import type { Path } from "./walk";
import { either } from "./words";

/** A place of the configuration that names a model's files. */
export interface NamedFiles {
  readonly path: Path;
  readonly address: string;
}

/** What a model serves where a predictor says nothing else: what it names, or else the champion of its training. */
export function servedOf({ name, model, training }: ModelConfig): string | undefined {
  return model ?? (training === undefined ? undefined : `${registryScheme}${name}@${champion}`);
}

/** Where a model names files: for all its versions, and for some of them. */
export function filesNamed(model: ModelConfig): NamedFiles[] {
  const { predictors = [] } = model;
  const named = (path: Path, address: string | undefined) =>
    address === undefined ? [] : [{ path, address }];
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
export type Served = Pick<Decision, "files"> & Partial<Pick<Decision, "sha256" | "version">>;

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

const notDecided = "not-decided-yet";

/** The wishes of a model for which nothing has been decided. */
export function undecided(model: ModelConfig, decisions: Readonly<Record<string, unknown>>): string[] {
  return wishesOf(model).filter((wish) => decisions[wish] === undefined);
}

/** What a server cannot load, or would answer otherwise, of what was decided. */
export function checkDecisions({ models = [], objectStore }: Understood, decisions: Decisions): Mistake[] {
  return models.flatMap((model, index) =>
    model === undefined
      ? []
      : filesNamed(model).flatMap(({ path, address }) => {
          const decision = decisions[address];
          const message = decision && misfit(model, decision, objectStore);
          if (message === undefined) return [];
          return [{ path: ["models", index, ...path], message: `is ${address}, ${message}` }];
        }),
  );
}

/** Why a version cannot be served as a model, to be read behind its name; undefined if it can. */
export function misfit(
  { server: named, image, allowPickle }: ModelConfig,
  { version, form, libraries, files }: Omit<Decision, "decided">,
  objectStore?: Understood["objectStore"],
): string | undefined {
  const bucket = files.split("/")[2];
  const readable = objectStore && bucketsOf(objectStore).modelBucket;
  if (readable !== undefined && bucket !== readable)
    return `version ${version} in bucket "${bucket ?? ""}", and model servers may read "${readable}" only`;
  const server = named ?? (image === undefined ? serverFor([form]) : undefined);
  if (server === undefined && image === undefined)
    return (
      `version ${version} (${form}), which no standard server can load: log it in another format, or take an image of ` +
      "your own"
    );
  const reads = server === undefined ? servedBy(image)?.serving.reads : serverReads[server];
  // Of an image of others nothing is known.
  if (reads === undefined) return undefined;
  if (!reads.includes(form)) {
    const able = prepackagedServers.filter((one) => serverReads[one].includes(form));
    const instead = able.length === 0 ? "an image of your own" : either(able.map((one) => `server: ${one}`));
    return `version ${version} (${form}), which ${server ?? String(image)} cannot load: take ${instead}`;
  }
  if (server === undefined) return undefined;
  if (isPickle(form) && !allowPickle)
    return (
      `version ${version}, a pickle, which runs whatever code is in it: write allowPickle: true if only those whom you ` +
      "trust may write to the bucket and the registry"
    );
  const library = libraryOf(form);
  if (libraries[library] === undefined && libraries[`${library}-cpu`] === undefined)
    return (
      `version ${version}, which does not say with which ${library} it was logged: ${server} may answer otherwise. Log ` +
      "it with its requirements"
    );
  const found = untrustedLibrary(form, libraries);
  if (found === undefined) return undefined;
  const { trained, served } = found;
  return (
    `version ${version}, logged with ${library} ${trained}, and ${server} has ${served}: it may answer otherwise. ` +
    `Train it with ${library} ${served}, and choose that version`
  );
}

/** What others must know of the project's models: one manifest, `ml-app/<folder>/model.json`, for each. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";

import * as z from "zod";

import { isPickle, prepackagedServers, protocols, serverReads } from "./servers";
import { nearest, shown } from "./words";

const bound = z.number().optional();

/**
 * An option of a training command, or an argument of a server's class, in the words of JSON Schema.
 * `ml-app/modelkit/options.py` reads the same.
 */
export const option = z.strictObject({
  type: z.enum(["integer", "number", "string"]),
  minimum: bound,
  maximum: bound,
  exclusiveMinimum: bound,
  exclusiveMaximum: bound,
  default: z.union([z.number(), z.string()]),
  description: z.string(),
});

/** A class of the model's own, in an image of its own. */
const ownServer = z.strictObject({
  /** Name of the image that serves. */
  image: z.string(),
  /** The class that the model server runs, with its module. */
  class: z.string(),
  /** Forms of files that it loads. */
  reads: z.array(z.string()),
  /** Form of the requests that it answers. */
  protocol: z.enum(protocols),
  /** Arguments of its class that a stack may set. */
  parameters: z.record(z.string(), option),
});

/** One of the standard servers, which speaks the Open Inference Protocol. */
const standardServer = z
  .strictObject({
    server: z.enum(prepackagedServers),
    /** Whether it may load a pickle of this training, which runs the code in it. */
    allowCode: z.boolean().default(false),
  })
  .transform((said) => ({ ...said, protocol: "v2" as const, reads: serverReads[said.server] }));

const manifestSchema = z.strictObject({
  name: z.string(),
  /** Whether the local target brings it up where no model is named. */
  default: z.boolean().default(false),
  /** A row to ask it for, in the order of its features. */
  example: z.array(z.union([z.number(), z.string()])).min(1),
  training: z.strictObject({
    /** Name of the image that trains. */
    image: z.string(),
    /** What the score on its test rows is called: `R²`. */
    score: z.string(),
    /** Form of the model's files: library and format, `sklearn-skops`. */
    writes: z.string(),
    /** Options of the command, without those that every training has. */
    options: z.record(z.string(), option),
  }),
  serving: z.union([ownServer, standardServer]),
});

/** Options by name, as a manifest declares them. */
export type Options = Manifest["training"]["options"];
type Option = Options[string];

type Common = Omit<z.output<typeof manifestSchema>, "serving"> & {
  /** Its folder below `ml-app/`. */
  readonly folder: string;
};

/** A model that has a server of its own. */
export type OwnServed = Common & { readonly serving: z.output<typeof ownServer> };

/** A model on a standard server. */
export type StandardServed = Common & { readonly serving: z.output<typeof standardServer> };

/** A model of the project. */
export type Manifest = OwnServed | StandardServed;

const appDir = path.join(__dirname, "..", "ml-app");

/** Whether a model has a server of its own. */
export function hasOwnServer(model: { readonly serving: object }): model is OwnServed {
  return "image" in model.serving;
}

/** The images of a model: one that trains it, and one that serves it if it has a server of its own. */
export function imagesOf(manifest: Manifest): string[] {
  const { image } = manifest.training;
  return hasOwnServer(manifest) ? [manifest.serving.image, image] : [image];
}

/** The manifests of the project's models, in alphabetical order of their folders. */
export const manifests: readonly Manifest[] = readdirSync(appDir)
  .filter((folder) => existsSync(path.join(appDir, folder, "model.json")))
  .sort()
  .map((folder) => {
    const text = readFileSync(path.join(appDir, folder, "model.json"), "utf8");
    return readManifest(folder, text);
  });

/**
 * A manifest, from its text.
 *
 * @throws Error it is none, or its server cannot or may not load what its training writes.
 */
export function readManifest(folder: string, text: string): Manifest {
  const manifest = { folder, ...manifestSchema.parse(JSON.parse(text)) } as Manifest;
  const { training, serving } = manifest;
  const where = `ml-app/${folder}/model.json`;
  if (!serving.reads.includes(training.writes))
    throw new Error(`${where}: what serves it reads ${serving.reads.join(", ")}, not ${training.writes}`);
  if (!hasOwnServer(manifest) && isPickle(training.writes) && !manifest.serving.allowCode)
    throw new Error(
      `${where}: ${training.writes} runs code when it is loaded; say "allowCode": true under serving, or write another form`,
    );
  return manifest;
}

/** The model whose training an image is. */
export function trainedBy(image: string | undefined): Manifest | undefined {
  return manifests.find(({ training }) => training.image === image);
}

/** The lock file of a model's training: which version of each package its image has. */
export function trainingLock({ folder }: Manifest): string {
  return readFileSync(path.join(appDir, folder, "train", "requirements.txt"), "utf8");
}

/** The model that an image serves. */
export function servedBy(image: string | undefined): OwnServed | undefined {
  return manifests.filter(hasOwnServer).find(({ serving }) => serving.image === image);
}

/**
 * What is wrong with an option, to be read behind its place; undefined if nothing is. A number may be in quotes:
 * `pulumi config set` writes fractions so.
 */
export function optionProblem(name: string, given: unknown, declared: Options): string | undefined {
  const option = Object.hasOwn(declared, name) ? declared[name] : undefined;
  if (option === undefined) return unknownOption(name, Object.keys(declared));
  return allows(option, given) ? undefined : `is ${shown(given)}; it must be ${expected(option)}`;
}

function unknownOption(name: string, known: readonly string[]): string {
  const suggested = nearest(name, known);
  if (suggested !== undefined) return `is not known; did you mean ${suggested}?`;
  return known.length === 0 ? "is not known: it has none" : `is not known; known are ${known.join(", ")}`;
}

const wholeText = /^[-+]?\d+$/;
const numberText = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;

function allows(option: Option, given: unknown): boolean {
  const { type } = option;
  if (type === "string") return typeof given === "string";
  // A text as the training command reads it, which takes neither 1e2 nor 0x10 for a whole number.
  if (typeof given === "string" && !(type === "integer" ? wholeText : numberText).test(given)) return false;
  const value = typeof given === "string" ? Number(given) : given;
  return typeof value === "number" && Number.isFinite(value) && within(option, value);
}

function within(option: Option, value: number): boolean {
  const { type, minimum = -Infinity, maximum = Infinity } = option;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = option;
  const whole = type === "number" || Number.isInteger(value);
  return (
    whole && value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum
  );
}

/** What a value must be: "a whole number from 1 to 10". The training command says it in the same words. */
function expected(declared: Option): string {
  const { type, minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = declared;
  if (type === "string") return "text";
  const kind = type === "integer" ? "a whole number" : "a number";
  if (above !== undefined && below !== undefined) return `${kind} between ${above} and ${below}`;
  if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`;
  return minimum === undefined ? kind : `${kind} of at least ${minimum}`;
}

/** What others must know of the project's units of graphs: one manifest, `ml-app/<folder>/unit.json`, for each. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";

import * as z from "zod";

import { option } from "./manifests";
import { protocols } from "./servers";

/** What a unit does with a request, as Seldon calls it. */
export const unitTypes = ["COMBINER", "MODEL", "OUTPUT_TRANSFORMER", "ROUTER", "TRANSFORMER"] as const;
export type UnitType = (typeof unitTypes)[number];

const columns = z.array(z.string()).min(1).optional();

const unitSchema = z
  .strictObject({
    name: z.string(),
    type: z.enum(unitTypes).exclude(["MODEL"]),
    /** Name of its image. */
    image: z.string(),
    /** The class that the model server runs, with its module. */
    class: z.string(),
    /** Forms of requests that it understands. */
    protocols: z.array(z.enum(protocols)).min(1),
    /** The columns that it takes, in their order; any if left out. */
    takes: columns,
    /** Those that it gives; left out where that depends on what it takes. */
    gives: columns,
    /** A row to ask for, where it takes some of its own. */
    example: z.array(z.union([z.number(), z.string(), z.null()])).optional(),
    /** Arguments of its class that a stack may set. */
    parameters: z.record(z.string(), option),
  })
  .refine(({ takes, example }) => takes?.length === example?.length, {
    error: "must have as many cells as takes has columns",
    path: ["example"],
  });

/** A unit of the project. */
export type UnitManifest = z.output<typeof unitSchema> & {
  /** Its folder below `ml-app/`. */
  readonly folder: string;
};

const appDir = path.join(__dirname, "..", "ml-app");

/** A manifest, from its text. @throws Error it is none. */
export function readUnit(folder: string, text: string): UnitManifest {
  const { success, data, error } = unitSchema.safeParse(JSON.parse(text));
  if (success) return { folder, ...data };
  throw new Error(`ml-app/${folder}/unit.json: ${z.prettifyError(error)}`);
}

/** The manifests of the project's units, in alphabetical order of their folders. */
export const units: readonly UnitManifest[] = readdirSync(appDir)
  .filter((folder) => existsSync(path.join(appDir, folder, "unit.json")))
  .sort()
  .map((folder) => readUnit(folder, readFileSync(path.join(appDir, folder, "unit.json"), "utf8")));

/** The unit that an image runs; undefined of a model's image, or of one of others. */
export function unitIn(image: string | undefined): UnitManifest | undefined {
  return units.find((unit) => unit.image === image);
}

/** The protocols that a unit of the project speaks; undefined of another image. */
export function protocolsOf(image: string | undefined): UnitManifest["protocols"] | undefined {
  return unitIn(image)?.protocols;
}

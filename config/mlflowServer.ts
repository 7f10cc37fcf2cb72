/**
 * The server that serves what no prepackaged one can be trusted with: MLServer with its runtime for MLflow, in an image of
 * the project's that has the very packages that a version requires.
 */
import { createHash } from "node:crypto";

import * as z from "zod";

import { images, mlserverLibraries } from "../pins";
import type { Decision } from "./lock";
import {
  type PrepackagedServer,
  type Server,
  isPickle,
  libraryOf,
  prepackagedInOrder,
  serverReads,
  untrustedLibrary,
} from "./servers";

/** What a stack calls it. */
export const mlflowServer = "mlflow";

/** The Python of its images. */
export const imagePython = /^\d+\.\d+/.exec(images.python.tag)?.[0] ?? "";

const pin = z.string().regex(/^[A-Za-z0-9][\w.-]*==[\w.!+-]+$/, { error: "is no package==version" });

/** The packages of such an image, found when a version was decided on. */
export const modelEnvironment = z.strictObject({
  /** The Python that they were found for: `3.12`. */
  python: z.string().regex(/^\d+\.\d+$/, { error: "is no version of Python, such as 3.12" }),
  packages: z.array(pin).min(1),
  /** Those that score tables by it; left out where no table is. */
  scoring: z.array(pin).min(1).optional(),
});
export type ModelEnvironment = Readonly<z.output<typeof modelEnvironment>>;

const base = "mlflow-server";

/** The name of the image with such packages: those of all versions with the same packages are the same. */
export function mlflowImage({ python, packages }: ModelEnvironment): string {
  const content = JSON.stringify([python, [...packages].sort()]);
  return `${base}-${createHash("sha256").update(content).digest("hex").slice(0, 12)}`;
}

/** What is installed where a version scores tables; undefined where that is not known. */
export function scoringEnvironment(environment: ModelEnvironment | undefined): ModelEnvironment | undefined {
  if (environment?.scoring === undefined) return undefined;
  return { python: environment.python, packages: environment.scoring };
}

/** Whether a name is that of such an image. */
export function isMlflowImage(name: string): boolean {
  return new RegExp(`^${base}-[0-9a-f]{12}$`).test(name);
}

/** The repository of an image of the project: those that differ in their packages alone are tags of one. */
export function repositoryOf(image: string): string {
  return isMlflowImage(image) ? base : image;
}

/** Why Python cannot load what these modules of MLflow load: they start a Java virtual machine, and no image has one. */
const needsJava = /^mlflow\.(spark|h2o|mleap|johnsnowlabs)$/;

type Decided = Pick<Decision, "environment" | "form" | "libraries" | "loading">;

/** Why the server cannot load a version, to be read behind its name; nothing if it can. */
export function unloadable({ form, loading }: Decided): string[] {
  if (loading === undefined) return [];
  const { by, python, code } = loading;
  if (by === undefined)
    return [` (${form}), which no Python loads, and nothing else here does: take an image of your own`];
  if (needsJava.test(by))
    return [`, which ${by} loads, and that needs Java, which no image here has: take an image of your own`];
  if (code.length === 0 || python === undefined || python === imagePython) return [];
  return [
    `, logged with Python ${python}, and what it holds of code no other one may load; the images have ${imagePython}: log ` +
      `it again with Python ${imagePython}`,
  ];
}

/**
 * Why the server has no image for a version that was decided on, to be read behind its name; nothing if it has.
 *
 * @param use what for: to be served, by whatever server; to answer by its own libraries; or to score tables.
 */
export function unequipped(decision: Decided, use: "serving" | "answers" | "scoring" = "serving"): string[] {
  const again = "Decide again: npm run models -- update";
  const { environment } = decision;
  if (environment === undefined)
    return use === "serving" && isTrusted("MLFLOW_SERVER", decision)
      ? []
      : [`, and for the packages that it requires nobody has looked. ${again}`];
  if (environment.python === imagePython)
    return use === "scoring" && environment.scoring === undefined
      ? [`, and for what scores tables with the packages that it requires nobody has looked. ${again}`]
      : [];
  return [
    `, whose packages are those for Python ${environment.python}, and the images have ${imagePython}. ${again}`,
  ];
}

/** Of the prepackaged servers: a pickle of NumPy 2 names modules that NumPy 1 does not have. */
const { numpy } = mlserverLibraries;

function majorOf(version: string): string {
  return version.split(".", 1)[0] ?? "";
}

/** The server of versions where none is named. */
export function serverFor(decided: readonly Decided[]): Server {
  return prepackagedInOrder.find((server) => decided.every((one) => isTrusted(server, one))) ?? mlflowServer;
}

/** Whether a prepackaged server reads exactly what a version is, in the versions that it was logged with. */
export function isTrusted(server: PrepackagedServer, { form, libraries, loading }: Decided): boolean {
  if (!serverReads[server].includes(form)) return false;
  const library = libraryOf(form);
  const isKnown = libraries[library] !== undefined || libraries[`${library}-cpu`] !== undefined;
  // More than the pickle itself: files that only MLflow finds, and not with the packages of its image.
  const isPlain = server === "XGBOOST_SERVER" || (loading?.code ?? []).length <= 1;
  // The others ask for predict, whatever the model was logged to answer by.
  const answersSo = server === "MLFLOW_SERVER" || loading?.answers === undefined;
  const isReadable = !isPickle(form) || majorOf(libraries["numpy"] ?? numpy) === majorOf(numpy);
  return isKnown && isPlain && answersSo && isReadable && untrustedLibrary(form, libraries) === undefined;
}

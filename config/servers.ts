/** The standard model servers, which need no code of a model's own, what they load, and how models are asked. */
import { mlserverLibraries } from "../pins";

/** Seldon's prepackaged servers, run by MLServer. */
export const prepackagedServers = ["MLFLOW_SERVER", "SKLEARN_SERVER", "XGBOOST_SERVER"] as const;
export type PrepackagedServer = (typeof prepackagedServers)[number];

/** Those that a stack may name: also the one whose image the project makes for a version, `mlflowServer.ts`. */
export const servers = [...prepackagedServers, "mlflow"] as const;
export type Server = (typeof servers)[number];

/** Of requests: Seldon's own, or the Open Inference Protocol. */
export const protocols = ["seldon", "v2"] as const;
export type Protocol = (typeof protocols)[number];

/** Forms of files that they load, in the versions of `pins.ts`: library and format, as manifests name them. */
export const serverReads: Readonly<Record<PrepackagedServer, readonly string[]>> = {
  MLFLOW_SERVER: ["sklearn-cloudpickle", "sklearn-pickle", "xgboost-json", "xgboost-ubj"],
  SKLEARN_SERVER: ["sklearn-cloudpickle", "sklearn-pickle"],
  XGBOOST_SERVER: ["xgboost-json", "xgboost-ubj"],
};

/** Those that do least beside loading the files come first. */
export const prepackagedInOrder = ["XGBOOST_SERVER", "SKLEARN_SERVER", "MLFLOW_SERVER"] as const;

/** What a server reads; undefined of the one that loads whatever MLflow does. */
export function readsOf(server: Server): readonly string[] | undefined {
  return server === "mlflow" ? undefined : serverReads[server];
}

/** Whether files of a form are pickles: whoever loads them runs the code that they hold. */
export function isPickle(form: string): boolean {
  return form.endsWith("pickle");
}

/** A library that writes a model's files, as the training has it and as the servers have it. */
export interface LibraryVersions {
  readonly library: string;
  readonly trained: string;
  readonly served: string;
}

/** The packages that a text in the form of pip or conda pins, by their normal names, with their versions. */
export function pinnedIn(requirements: string): Record<string, string> {
  const pins = requirements.matchAll(
    /^[ \t-]*([A-Za-z0-9][\w.-]*)(?:\[[^\]\n]*\])?[ \t]*={1,3}[ \t]*([^\s;,=]+)/gm,
  );
  return Object.fromEntries([...pins].map(([, name = "", version = ""]) => [normalName(name), version]));
}

/** As PyPI compares names: https://packaging.python.org/en/latest/specifications/name-normalization/ */
function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}

/**
 * The library of a form of files, if the servers' version cannot be trusted with what the training's writes: a pickle
 * needs the same minor version, any other file one that is not newer. XGBoost 2.1 reads a file of 3.1 without a word,
 * and answers 1.465 for 5.895.
 *
 * @param libraries of what has written the file, by package.
 */
export function untrustedLibrary(
  form: string,
  libraries: Readonly<Record<string, string>>,
): LibraryVersions | undefined {
  const library = libraryOf(form);
  // `xgboost-cpu` is the same without the code for GPUs.
  const trained = libraries[library] ?? libraries[`${library}-cpu`];
  const served = mlserverLibraries[library];
  if (trained === undefined) return undefined;
  const [ours, theirs] = [minorOf(trained), minorOf(served)];
  const fits = isPickle(form) ? ours === theirs : ours <= theirs;
  return fits ? undefined : { library, trained, served };
}

/** The library that has written files of a form. */
export function libraryOf(form: string): "scikit-learn" | "xgboost" {
  return form.startsWith("sklearn-") ? "scikit-learn" : "xgboost";
}

/** 2.1.4 as 2001, to be compared. */
function minorOf(version: string): number {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
}

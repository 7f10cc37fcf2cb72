/** The standard model servers, which need no code of a model's own, and what they load. */

/** Seldon's prepackaged servers, run by MLServer. */
export const prepackagedServers = ["MLFLOW_SERVER", "SKLEARN_SERVER", "XGBOOST_SERVER"] as const;
export type PrepackagedServer = (typeof prepackagedServers)[number];

/** Forms of files that they load, in the versions of `pins.ts`: library and format, as manifests name them. */
export const serverReads: Readonly<Record<PrepackagedServer, readonly string[]>> = {
  MLFLOW_SERVER: ["sklearn-cloudpickle", "sklearn-pickle", "xgboost-json", "xgboost-ubj"],
  SKLEARN_SERVER: ["sklearn-cloudpickle", "sklearn-pickle"],
  XGBOOST_SERVER: ["xgboost-json", "xgboost-ubj"],
};

/** Whether files of a form are pickles: whoever loads them runs the code that they hold. */
export function isPickle(form: string): boolean {
  return form.endsWith("pickle");
}

import type { Decision } from "../../../config/lock";

/** What may have been decided on: a version, with files of its own. */
export function decisionOn(
  version: number,
  form: string,
  libraries: Readonly<Record<string, string>> = {},
): Decision {
  const at = "2026-11-01T12:00:00Z";
  return {
    version,
    run: "",
    files: `s3://models/mlflow/1/models/m-${version}/artifacts`,
    form,
    libraries,
    metrics: {},
    signature: { inputs: "[]" },
    registered: at,
    decided: { at, by: "ann" },
  };
}

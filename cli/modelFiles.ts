/** What the files say that MLflow has written with a model: https://mlflow.org/docs/latest/ml/model/ */
import { parse } from "yaml";

import { UserError } from "./errors";

/** A way to load a model, as `MLmodel` has it; of `python_function` it is that of the model as a whole. */
type Flavor = Readonly<Record<string, unknown>>;

/** What a model's `MLmodel` says of it. */
export interface ModelFile {
  readonly flavors: Readonly<Record<string, Flavor | null>>;
  /** What it takes; undefined where it was logged without a signature. */
  readonly inputs?: string;
  /** What it answers. */
  readonly outputs?: string;
  /** The module that Python loads it by; undefined where no Python does. */
  readonly loader?: string;
  /** The method of the library's model that it answers by; undefined where it does not say. */
  readonly method?: string;
  /** The Python that logged it, `3.12`; undefined where it does not say. */
  readonly python?: string;
  /** The file with an example of its input. */
  readonly example?: string;
  /** Whether a training of the platform has recorded rows with their answers. */
  readonly recorded: boolean;
}

/** Types that MLflow has skops trust in every model of these libraries: they hold data. */
const plainTypes = /^(sklearn\.|lightgbm\.(basic|sklearn)\.|collections\.OrderedDict$|numpy\.dtype$)/;
/**
 * What a model's `MLmodel` says.
 *
 * @param where it comes from, for the error.
 * @throws UserError it is not what MLflow writes, or no Python loads the model.
 */
export function readModelFile(written: string, where: string): ModelFile {
  const file = parseModelFile(written);
  if (file?.flavors["python_function"] == null)
    throw new UserError(
      `${where}: its MLmodel does not say how Python loads it, so that nothing here can serve it.`,
    );
  return file;
}

/** The same, by whatever the model is loaded; undefined if it is not what MLflow writes. */
export function parseModelFile(written: string): ModelFile | undefined {
  interface Content {
    flavors?: Readonly<Record<string, Flavor | null>> | null;
    signature?: { inputs?: unknown; outputs?: unknown } | null;
    saved_input_example_info?: { serving_input_path?: string; artifact_path?: string } | null;
    metadata?: { mlplatform?: unknown } | null;
  }
  let content: Content | null = null;
  try {
    content = parse(written) as Content | null;
  } catch {
    return undefined;
  }
  const flavors = content?.flavors;
  if (typeof flavors !== "object" || flavors === null || Object.keys(flavors).length === 0) return undefined;
  const { inputs, outputs } = content?.signature ?? {};
  const {
    python_version: python,
    loader_module: loader,
    predict_fn: method,
  } = flavors["python_function"] ?? {};
  const version = /^\d+\.\d+/.exec(text(python))?.[0];
  const { serving_input_path: request, artifact_path: table } = content?.saved_input_example_info ?? {};
  const example = request ?? table;
  return {
    flavors,
    ...(typeof inputs === "string" && { inputs }),
    ...(typeof outputs === "string" && { outputs }),
    ...(typeof loader === "string" && { loader }),
    ...(typeof method === "string" && { method }),
    ...(version !== undefined && { python: version }),
    ...(example !== undefined && { example }),
    recorded: content?.metadata?.mlplatform != null,
  };
}

/**
 * What of a model runs code of whoever has logged it when it is loaded, in words; none if it is data alone. What counts is
 * what its loader reads, whatever else stands beside that: anybody may have written the file.
 */
export function codeIn({ flavors }: ModelFile): string[] {
  const { python_function: general, ...libraries } = flavors;
  const own = [
    ...(general?.["code"] == null ? [] : [`Python code of its own (${text(general["code"])}/)`]),
    ...(general?.["model_code_path"] == null ? [] : [`a script (${text(general["model_code_path"])})`]),
  ];
  const loader = text(general?.["loader_module"]);
  const library = /^mlflow\.(\w+)$/.exec(loader)?.[1];
  const read =
    library === undefined || library === "pyfunc"
      ? codeOfGeneral(general ?? {}, loader)
      : codeOf(library, libraries[library] ?? {});
  return [...new Set([...own, ...(read === undefined ? [] : [read])])];
}

function codeOfGeneral(general: Flavor, loader: string): string | undefined {
  if (general["model_code_path"] != null) return undefined;
  return general["python_model"] == null
    ? `a loader of its own (${loader})`
    : `a pickle (${text(general["python_model"])})`;
}

/** What MLflow's loader for a library reads, by what it goes by itself. */
function codeOf(library: string, flavor: Flavor): string | undefined {
  const { model_class: type, serialization_format: format } = flavor;
  const file = text(flavor["pickled_model"] ?? flavor["data"] ?? flavor["model_path"] ?? library);
  switch (library) {
    case "catboost":
    case "onnx":
      return undefined;
    case "xgboost":
      // It makes one of whatever class stands there.
      return type == null || /^xgboost\.\w+\.\w+$/.test(text(type)) ? undefined : `a class (${text(type)})`;
    case "lightgbm":
      if (type == null || type === "lightgbm.basic.Booster") return undefined;
      return codeOfSerialised(format, file, flavor);
    case "sklearn":
      return codeOfSerialised(format, file, flavor);
    default:
      return `what the loader for ${library} reads, which may be a pickle`;
  }
}

function codeOfSerialised(format: unknown, file: string, flavor: Flavor): string | undefined {
  if (format !== "skops") return `a pickle (${file})`;
  const trusted = flavor["skops_trusted_types"];
  const odd = (Array.isArray(trusted) ? trusted.map(String) : []).filter((one) => !plainTypes.test(one));
  return odd.length === 0 ? undefined : `types of others (${odd.join(", ")})`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

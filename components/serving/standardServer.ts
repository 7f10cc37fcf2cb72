/** MLServer, which runs the standard servers, as the platform sets it up: in a cluster and on this machine. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

const name = "standardserver";
const at = "/opt/mlplatform";

/** The package that stands beside MLServer, and where in a pod: its folder in the one that Python looks in. */
export const standardServer = { package: name, at, folder: `${at}/${name}` } as const;

/** MLServer's variables that are the same everywhere. What they cannot say is said in `guard.py`. */
export const standardSettings: Readonly<Record<string, string>> = {
  // It would answer an error of its own with its inside.
  MLSERVER_DEBUG: "false",
  // As many bytes as a body over REST.
  MLSERVER_GRPC_MAX_MESSAGE_LENGTH: String(1024 * 1024),
  MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION: `${standardServer.package}.guard.Repository`,
  // The model in a process of its own would cost a second interpreter, and the first would wait for it.
  MLSERVER_PARALLEL_WORKERS: "0",
  // XGBoost's threads wait for each other for longer than one of them takes for a hundred rows.
  OMP_NUM_THREADS: "1",
};

/** All that a pod of MLServer is told by variables, beside what Seldon's operator says of the model. */
export const podSettings: Readonly<Record<string, string>> = {
  ...standardSettings,
  // Where MLServer writes, which is else below its read-only home.
  MLSERVER_ENVIRONMENTS_DIR: "/tmp",
  MLSERVER_METRICS_DIR: "/tmp",
  // Where it looks for settings and for modules first: among the model's files it would take those of whoever wrote them.
  MLSERVER_MODELS_DIR: standardServer.folder,
  PYTHONPATH: standardServer.at,
  // Where its hook before SIGTERM finds it.
  MLPLATFORM_PID_FILE: "/tmp/mlserver.pid",
};

/** The files of the package by name, and a digest that tells one state of them from another. */
interface ServerFiles {
  readonly files: Readonly<Record<string, string>>;
  readonly digest: string;
}

let read: ServerFiles | undefined;

/** The files of the package; read once, as each model of a stack has them. */
export function standardServerFiles(): ServerFiles {
  return (read ??= readServerFiles());
}

function readServerFiles(): ServerFiles {
  const folder = path.join(__dirname, "..", "..", "ml-app", name);
  const names = readdirSync(folder).filter((file) => file.endsWith(".py"));
  const files = Object.fromEntries(
    names.sort().map((file) => [file, readFileSync(path.join(folder, file), "utf8")]),
  );
  return {
    files,
    digest: createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 8),
  };
}

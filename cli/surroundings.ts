/** What of the user's shell reaches the processes of this machine: only what is named here. */
import { existsSync } from "node:fs";

import { localHost } from "./ports";

type Variables = Readonly<Record<string, string>>;

/**
 * Where programs, libraries, home and temporary files are, the language, the way to the network, and the processor's kind,
 * where OpenBLAS would take it for another and compute wrong. All else would steer the services and trainings of this machine,
 * whatever it was set for: with `MLFLOW_REGISTRY_URI` a training would register its model elsewhere, with `MLFLOW_RUN_ID` write
 * into a run of another's (mlflow/mlflow#18194). Nor need they know passwords.
 */
const plain =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LANGUAGE|LC_\w+|TMPDIR|TMP|TEMP|XDG_\w+_(HOME|DIR)|(DY)?LD_LIBRARY_PATH|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|NODE_EXTRA_CA_CERTS|OPENBLAS_(CORETYPE|L2_SIZE)|MLPLATFORM_CONNECT_SECONDS)$/;

/** Where packages come from, and with whose rights. Where to is said here (pypa/pip#8977). */
const packageSource =
  /^(NETRC|PIP_(\w*INDEX\w*|FIND_LINKS|TRUSTED_HOST|(CLIENT_)?CERT|PROXY|CONFIG_FILE|KEYRING_PROVIDER|(DEFAULT_)?TIMEOUT|RETRIES|(NO_)?CACHE_DIR)|UV_(\w*INDEX\w*|FIND_LINKS|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|OFFLINE|CONFIG_FILE|KEYRING_PROVIDER|HTTP_\w+|(NO_)?CACHE(_DIR)?|LINK_MODE|CONCURRENT_\w+|PYTHON_INSTALL_MIRROR|PYTHON_DOWNLOADS_JSON_URL))$/;

/** The environment of a service, a training or a tool of this machine. */
export function surroundings(): Variables {
  return only(plain);
}

/**
 * That of a training on data of S3, whose credentials are the user's.
 *
 * @param data address of the data; undefined for the project's own.
 */
export function dataAccess(data: string | undefined): Variables {
  return data !== undefined && /^s3:/i.test(data) ? only(/^AWS_/) : {};
}

/**
 * The environment of a Python that is asked something, as the user's shell finds it. With `PYTHONINSPECT` it would not
 * end, with `PYTHONHASHSEED=abc` not start, with `PYTHONIOENCODING=utf-16` answer what nobody reads.
 */
export function plainPython(): NodeJS.ProcessEnv {
  return only(/^(?!PYTHON)/);
}

/** The environment of a process that installs packages. uv ends at once where its settings file is not there. */
export function installHere(): Variables {
  const { UV_CONFIG_FILE: settings, ...rest } = only(packageSource);
  return {
    ...surroundings(),
    ...rest,
    PIP_USER: "0",
    ...(settings !== undefined && existsSync(settings) ? { UV_CONFIG_FILE: settings } : {}),
  };
}

function only(names: RegExp): Record<string, string> {
  const found = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && names.test(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(found);
}

/** The user's proxy is for the world outside: the services of this machine are asked without it. */
export function withoutProxy(): Variables {
  const theirs = process.env["NO_PROXY"] ?? process.env["no_proxy"];
  const hosts = [...new Set([...(theirs ? theirs.split(",") : []), localHost, "localhost"])].join(",");
  return { NO_PROXY: hosts, no_proxy: hosts };
}

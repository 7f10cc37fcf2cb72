import * as path from "node:path";

import { type ClusterBackend, ReleaseFailed, type ReleaseRecord, type ReleaseSpec } from "./backend";
import { type Difference, InitError, type Known } from "./provider";
import { type Values, asText, asValues, changedKeys, plainValues, secret, unknown } from "./values";

/** The type of what Helm installs. */
export const releaseType = "kubernetes:helm.sh/v3:Release";

/** The behaviour of `helm.v3.Release` in the real provider (provider/pkg/provider/helm_release.go). */
export class Releases {
  constructor(private readonly backend: ClusterBackend) {}

  check(inputs: Values, old: Values | undefined, autoname: string): Values {
    return {
      ...inputs,
      name: inputs["name"] ?? old?.["name"] ?? autoname,
      namespace: inputs["namespace"] ?? "default",
      ...(inputs["timeout"] === undefined && inputs["skipAwait"] !== true ? { timeout: 300 } : {}),
    };
  }

  diff(known: Known, inputs: Values): Difference {
    const changes = changedKeys(known.inputs, inputs);
    // Never deleted first: that the program has to ask for.
    return { changes, replaces: changes.filter((key) => key === "name" || key === "namespace") };
  }

  preview(inputs: Values): Values {
    return { ...inputs, status: unknown, resourceNames: unknown, __inputs: secret(inputs) };
  }

  async create(inputs: Values): Promise<{ id: string; outputs: Values }> {
    const spec = specOf(inputs);
    const id = `${spec.namespace}/${spec.name}`;
    try {
      return { id, outputs: outputsOf(inputs, await this.backend.install(spec)) };
    } catch (error) {
      if (!(error instanceof ReleaseFailed)) throw error;
      throw await this.initError(
        `Helm release "${id}" was created, but failed to initialize completely`,
        spec,
        inputs,
        error,
      );
    }
  }

  async update(inputs: Values): Promise<Values> {
    const spec = specOf(inputs);
    try {
      return outputsOf(inputs, await this.backend.upgrade(spec));
    } catch (error) {
      if (!(error instanceof ReleaseFailed)) throw error;
      const id = `${spec.namespace}/${spec.name}`;
      throw await this.initError(`Helm release "${id}" failed to initialize completely`, spec, inputs, error);
    }
  }

  async remove(known: Known): Promise<void> {
    const { namespace, name } = specOf(known.outputs);
    await this.backend.uninstall(namespace, name);
  }

  async read(known: Known): Promise<{ id: string; inputs: Values; outputs: Values } | undefined> {
    const [namespace = "", name = ""] = known.id.split("/");
    const record = await this.backend.release(namespace, name);
    if (record === undefined) return undefined;
    const inputs = Object.keys(known.inputs).length > 0 ? known.inputs : imported(record);
    return { id: known.id, inputs, outputs: outputsOf(inputs, record) };
  }

  private async initError(what: string, spec: ReleaseSpec, inputs: Values, cause: Error): Promise<InitError> {
    const record = await this.backend.release(spec.namespace, spec.name);
    const outputs = record === undefined ? inputs : outputsOf(inputs, record);
    return new InitError(
      `${what}. Use Helm CLI to investigate: failed to become available within allocated timeout. ` +
        `Error: Helm Release ${spec.namespace}/${spec.name}: ${cause.message}`,
      `${spec.namespace}/${spec.name}`,
      outputs,
    );
  }
}

function specOf(inputs: Values): ReleaseSpec {
  const given = plainValues(inputs);
  const { timeout, maxHistory } = given;
  const { repo: repository } = asValues(given["repositoryOpts"]);
  return {
    namespace: asText(given["namespace"]),
    name: asText(given["name"]),
    chart: asText(given["chart"]),
    version: asText(given["version"]),
    values: asValues(given["values"]),
    ...(typeof repository === "string" ? { repository } : {}),
    ...(typeof timeout === "number" ? { timeout } : {}),
    ...(typeof maxHistory === "number" ? { maxHistory } : {}),
  };
}

function outputsOf(inputs: Values, record: ReleaseRecord): Values {
  const { status, name, namespace, revision, version } = record;
  const chart = path.posix.basename(record.chart);
  return {
    ...inputs,
    resourceNames: {},
    status: { status, name, namespace, revision, chart, version, appVersion: version },
    __inputs: secret(inputs),
  };
}

/** What an import knows of the inputs; where the chart came from, Helm does not record. */
function imported(record: ReleaseRecord): Values {
  const { name, namespace, version, values } = record;
  return { name, namespace, version, values, chart: path.posix.basename(record.chart), timeout: 300 };
}

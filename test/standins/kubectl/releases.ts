import {
  type ClusterBackend,
  ReleaseFailed,
  type ReleaseRecord,
  type ReleaseSpec,
  type ReleaseStatus,
} from "../backend";
import type { Values } from "../values";
import { CommandFailed, command } from "./command";

type ReleaseBackend = Pick<ClusterBackend, "release" | "install" | "upgrade" | "uninstall">;

/** `helm get metadata`, as far as it is used. */
interface Metadata {
  readonly chart: string;
  readonly version: string;
  readonly revision: number;
  readonly status: ReleaseStatus;
}

const uninstallTimeout = "10m";

/** The releases of a cluster, by `helm`. */
export function releases(context: string): ReleaseBackend {
  const helm = (args: readonly string[], input?: string) =>
    command("helm", ["--kube-context", context, ...args], input);

  const release = async (namespace: string, name: string): Promise<ReleaseRecord | undefined> => {
    const get = (what: string) => helm(["get", what, name, "-n", namespace, "-o", "json"]);
    try {
      const [metadata, values] = await Promise.all([get("metadata"), get("values")]);
      const { chart, version, revision, status } = JSON.parse(metadata) as Metadata;
      // Of no values Helm says null.
      const given = (JSON.parse(values) as Values | null) ?? {};
      return { namespace, name, chart, version, revision, status, values: given };
    } catch (error) {
      if (error instanceof CommandFailed && error.message.includes("release: not found")) return undefined;
      throw error;
    }
  };

  const rollOut = async (verb: "install" | "upgrade", spec: ReleaseSpec): Promise<ReleaseRecord> => {
    const { namespace, name, values, maxHistory } = spec;
    // An installation has no history yet, and no such option.
    const history =
      verb === "upgrade" && maxHistory !== undefined ? ["--history-max", String(maxHistory)] : [];
    const before = await release(namespace, name);
    try {
      await helm(
        [verb, name, "-n", namespace, ...sourceOf(spec), ...history, "-f", "-"],
        JSON.stringify(values),
      );
    } catch (error) {
      // Where Helm cannot tell either, why it failed at first says more.
      const record = await release(namespace, name).catch(() => undefined);
      // Of a chart that could not even be loaded Helm records nothing.
      const recorded = record?.status === "failed" && record.revision !== before?.revision;
      throw recorded && error instanceof CommandFailed ? new ReleaseFailed(error.message) : error;
    }
    const record = await release(namespace, name);
    if (record === undefined)
      throw new Error(`release ${namespace}/${name} was removed while it was installed`);
    return record;
  };

  return {
    release,
    install: (spec) => rollOut("install", spec),
    upgrade: (spec) => rollOut("upgrade", spec),
    uninstall: async (namespace, name) => {
      await helm(["uninstall", name, "-n", namespace, "--wait", "--timeout", uninstallTimeout]);
    },
  };
}

/** Where the chart comes from, and how long Helm waits for what it installs. */
function sourceOf({ chart, version, repository, timeout }: ReleaseSpec): string[] {
  return [
    ...[chart, "--wait", "--timeout", `${timeout ?? 300}s`],
    ...(version === "" ? [] : ["--version", version]),
    ...(repository === undefined ? [] : ["--repo", repository]),
  ];
}

import { setTimeout as sleep } from "node:timers/promises";

import type { ClusterBackend, KubeObject, LiveObject, ObjectRef } from "../backend";
import { type Values, asText, asValues } from "../values";
import { CommandFailed, command } from "./command";
import { type Readiness, annotation, readinessOf } from "./readiness";

type ObjectBackend = Pick<ClusterBackend, "create" | "apply" | "get" | "ready" | "remove">;

/** As long as the program waits for anything. */
const patienceMilliseconds = 15 * 60_000;
const pollMilliseconds = 500;
const shownLogLines = "12";
/** How kubectl and the API server say that a kind's definition is not there, or just went. */
const unknownKind = /no matches for kind|could not find the requested resource/;

/**
 * The objects of a cluster, by `kubectl`.
 *
 * @param stopped ends a wait; another one for each run of the engine.
 */
export function objects(context: string, stopped: () => AbortSignal): ObjectBackend {
  const kubectl = (args: readonly string[], input?: string) =>
    command("kubectl", ["--context", context, ...args], input);

  const get = async (ref: ObjectRef): Promise<LiveObject | undefined> => {
    const manifest = await found(kubectl, ref);
    if (manifest === undefined) return undefined;
    return { ...ref, manifest, ready: (await readiness(manifest)).state === "ready" };
  };

  const readiness = async (manifest: Values): Promise<Readiness> => {
    if (manifest["kind"] !== "Service" || (await hasAddresses(kubectl, manifest)))
      return readinessOf(manifest);
    return { state: "waiting", reason: "no pod that is ready stands behind it" };
  };

  const apply = async ({ manifest }: KubeObject, manager: string, force: boolean) => {
    const conflicts = force ? ["--force-conflicts"] : [];
    // The real provider only warns of fields that the API server does not know.
    const how = ["--server-side", "--validate=warn", "--field-manager", manager, ...conflicts];
    await kubectl(["apply", ...how, "-f", "-"], JSON.stringify(manifest));
  };

  return {
    get,
    apply,
    // Not by `kubectl create`: an apply that follows would not own what that has set, and so never remove it.
    create: async (object, manager) => {
      if ((await found(kubectl, object)) !== undefined)
        throw new Error(`${object.kind} "${object.name}" already exists`);
      await apply(object, manager, false);
    },
    ready: async (ref) => {
      const end = Date.now() + patienceMilliseconds;
      const signal = stopped();
      for (;;) {
        signal.throwIfAborted();
        const manifest = await found(kubectl, ref);
        if (manifest === undefined) throw new Error("it was deleted while it was waited for");
        const now = await readiness(manifest);
        if (now.state === "ready") return;
        if (now.state === "failed") throw new Error(`${now.reason}${await saidBy(kubectl, ref)}`);
        if (Date.now() > end) throw new Error(`timed out: ${now.reason}`);
        await sleep(pollMilliseconds);
      }
    },
    remove: async (object) => {
      const cascade = annotation(object.manifest, "pulumi.com/deletionPropagationPolicy") ?? "foreground";
      const how = [`--cascade=${cascade}`, "--wait", "--timeout=10m", "--ignore-not-found"];
      await unlessUnknown(kubectl(["delete", ...how, "-f", "-"], named(object)));
    },
  };
}

type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** The object as the API server has it; undefined if there is none. */
async function found(kubectl: Kubectl, ref: ObjectRef): Promise<Values | undefined> {
  const text = await unlessUnknown(
    kubectl(["get", "--ignore-not-found", "-o", "json", "-f", "-"], named(ref)),
  );
  if (text === "") return undefined;
  // Of what it reads from its input kubectl makes a list, even of one object.
  const { items = [] } = JSON.parse(text) as { items?: readonly Values[] };
  return items[0];
}

/** A manifest that names the object by its very version, which a resource's name on the command line would not. */
function named({ apiVersion, kind, namespace, name }: ObjectRef): string {
  const metadata = namespace === "" ? { name } : { name, namespace };
  return JSON.stringify({ apiVersion, kind, metadata });
}

/** Of a kind that has no definition there is no object. */
async function unlessUnknown(asked: Promise<string>): Promise<string> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CommandFailed && unknownKind.test(error.message)) return "";
    throw error;
  }
}

/** Whether a Service leads somewhere; one without a selector is somebody else's to fill. */
async function hasAddresses(kubectl: Kubectl, service: Values): Promise<boolean> {
  const [metadata, spec] = [asValues(service["metadata"]), asValues(service["spec"])];
  if (Object.keys(asValues(spec["selector"])).length === 0) return true;
  const text = await kubectl([
    ...["get", "endpointslices", "-o", "json", "-n", asText(metadata["namespace"])],
    ...["-l", `kubernetes.io/service-name=${asText(metadata["name"])}`],
  ]);
  const { items } = JSON.parse(text) as {
    items: { endpoints?: { conditions?: { ready?: boolean } }[] | null }[];
  };
  return items.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false));
}

/** What the pods of a Job wrote last, for the error that tells of its failure. */
async function saidBy(kubectl: Kubectl, { kind, namespace, name }: ObjectRef): Promise<string> {
  if (kind !== "Job") return "";
  const log = await kubectl(["logs", `job/${name}`, "-n", namespace, "--tail", shownLogLines]).catch(
    () => "",
  );
  return log.trim() === "" ? "" : `\n${log.trimEnd()}`;
}

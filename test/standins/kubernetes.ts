import { randomBytes } from "node:crypto";

import type { ClusterBackend, KubeObject } from "./backend";
import { asWritten } from "./drift";
import { type Difference, InitError, type Known, type Provider, type Resource } from "./provider";
import { Releases, releaseType } from "./release";
import { type Values, asText, asValues, changedKeys, plain, plainValues, secret } from "./values";

const managerKey = "__fieldManager";
/** Kinds that belong to no namespace, of those that the platform may use. */
const clusterKinds = new Set([
  ...["Namespace", "Node", "PersistentVolume", "StorageClass", "PriorityClass", "CustomResourceDefinition"],
  ...["ClusterRole", "ClusterRoleBinding", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
]);
/** What only a new object can have, by kind; names and namespaces go without saying. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  Job: ["spec"],
  PersistentVolumeClaim: ["spec"],
  RoleBinding: ["roleRef"],
  StorageClass: ["provisioner", "parameters"],
};

/** A stand-in for the Kubernetes provider with server-side apply: objects of any kind, and `helm.v3.Release`. */
export function kubernetesProvider(backend: ClusterBackend, version: string): Provider {
  const releases = new Releases(backend);
  const isRelease = ({ type }: Resource) => type === releaseType;
  let force = false;

  const bring = async (verb: "create" | "apply", resource: Resource, inputs: Values, manager: string) => {
    const object = objectOf(resource, inputs);
    const id = idOf(object);
    // Like the real one, it takes over nothing that is there (pulumi/pulumi-kubernetes#4278).
    if (verb === "create") await backend.create(object, manager);
    else await backend.apply(object, manager, force);
    const outputs = outputsOf(inputs, manager);
    try {
      if (!isAnnotated(object, "pulumi.com/skipAwait")) await backend.ready(object);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InitError(
        `the Kubernetes API server reported that "${id}" failed to fully initialize or become live: ${reason}`,
        id,
        outputs,
      );
    }
    return { id, outputs };
  };

  return {
    name: "kubernetes",
    version,
    configure: (settings) => {
      backend.expectContext?.(asText(plain(settings["context"] ?? "")));
      force = [true, "true"].includes(plain(settings["enablePatchForce"] ?? false) as boolean | string);
    },
    cancel: () => backend.cancel?.(),
    label,
    check: (resource, inputs, old) => {
      const autoname = `${resource.name}-${randomBytes(4).toString("hex")}`;
      if (isRelease(resource)) return releases.check(inputs, old, autoname);
      return checkObject(resource, inputs, old, autoname);
    },
    diff: async (known, inputs) => {
      if (isRelease(known)) return releases.diff(known, inputs);
      const difference = diffObject(known, inputs);
      const object = objectOf(known, inputs);
      if (object.kind !== "Job" || !isAnnotated(object, "pulumi.com/replaceUnready")) return difference;
      const live = await backend.get(object);
      if (live === undefined || live.ready) return difference;
      const unready = "metadata";
      return {
        changes: [...difference.changes, unready],
        replaces: [...difference.replaces, unready],
        deleteBeforeReplace: true,
      };
    },
    preview: (resource, inputs) => (isRelease(resource) ? releases.preview(inputs) : outputsOf(inputs, "")),
    create: (resource, inputs) =>
      isRelease(resource) ? releases.create(inputs) : bring("create", resource, inputs, newManager()),
    update: async (known, inputs) =>
      isRelease(known)
        ? releases.update(inputs)
        : (await bring("apply", known, inputs, managerOf(known))).outputs,
    remove: (known) =>
      isRelease(known) ? releases.remove(known) : backend.remove(objectOf(known, known.outputs)),
    read: async (known) => {
      if (isRelease(known)) return releases.read(known);
      const [namespace, name] = known.id.includes("/") ? known.id.split("/") : ["", known.id];
      const { apiVersion, kind } = gvkOf(known);
      const live = await backend.get({ apiVersion, kind, namespace: namespace ?? "", name: name ?? "" });
      if (live === undefined) return undefined;
      const inputs = withSecrets(kind, asWritten(live.manifest, plainValues(known.inputs)));
      return { id: known.id, inputs, outputs: outputsOf(inputs, managerOf(known)) };
    },
  };
}

function label(resource: Resource, inputs: Values): string {
  if (resource.type === releaseType) {
    const given = plainValues(inputs);
    return `Release ${asText(given["namespace"])}/${asText(given["name"])}`;
  }
  const object = objectOf(resource, inputs);
  return `${object.kind} ${idOf(object)}`;
}

/** `kubernetes:core/v1:Secret` is v1 Secret; of `kubernetes:apps/v1:Deployment` the whole group is the version. */
function gvkOf({ type }: Resource): { apiVersion: string; kind: string } {
  const [, group = "", kind = ""] = type.split(":");
  return { apiVersion: group.replace(/^core\//, ""), kind };
}

function objectOf(resource: Resource, inputs: Values): KubeObject {
  const given = plainValues(inputs);
  const manifest = Object.fromEntries(Object.entries(given).filter(([key]) => !key.startsWith("__")));
  const metadata = asValues(given["metadata"]);
  const { apiVersion, kind } = gvkOf(resource);
  return {
    apiVersion: asText(given["apiVersion"]) || apiVersion,
    kind: asText(given["kind"]) || kind,
    namespace: asText(metadata["namespace"]),
    name: asText(metadata["name"]),
    manifest,
  };
}

function idOf({ namespace, name }: KubeObject): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function isAnnotated({ manifest }: KubeObject, name: string): boolean {
  return asText(asValues(asValues(manifest["metadata"])["annotations"])[name]) === "true";
}

function checkObject(resource: Resource, inputs: Values, old: Values | undefined, autoname: string): Values {
  const { apiVersion, kind } = gvkOf(resource);
  const metadata = asValues(inputs["metadata"]);
  const oldName = asValues(old?.["metadata"])["name"];
  const namespace = clusterKinds.has(kind) ? {} : { namespace: metadata["namespace"] ?? "default" };
  const checked = {
    apiVersion,
    kind,
    ...inputs,
    metadata: { ...metadata, name: metadata["name"] ?? oldName ?? autoname, ...namespace },
  };
  return withSecrets(kind, checked);
}

/** As the real provider does, a Secret's data are secret, whatever the program says of them. */
function withSecrets(kind: string, inputs: Values): Values {
  if (kind !== "Secret") return inputs;
  const marked = { ...inputs };
  for (const key of ["data", "stringData"]) {
    const value = marked[key];
    if (value !== undefined) marked[key] = secret(value);
  }
  return marked;
}

function outputsOf(inputs: Values, manager: string): Values {
  return { ...inputs, [managerKey]: manager, __inputs: secret(inputs) };
}

/** Another one at each creation, as the real provider has it: what a cut-off one has left belongs to a stranger. */
function newManager(): string {
  return `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}

function managerOf({ outputs }: Known): string {
  return asText(outputs[managerKey]) || newManager();
}

function diffObject(known: Known, inputs: Values): Difference {
  const changes = changedKeys(known.inputs, inputs);
  const [before, after] = [objectOf(known, known.inputs), objectOf(known, inputs)];
  const moved = before.name !== after.name || before.namespace !== after.namespace;
  const fixed = immutable[after.kind] ?? [];
  const replaces = changes.filter((key) => fixed.includes(key) || (key === "metadata" && moved));
  return { changes, replaces, deleteBeforeReplace: replaces.length > 0 && !moved };
}

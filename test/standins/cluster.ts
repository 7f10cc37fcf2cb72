import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type BuiltImage,
  type ClusterBackend,
  type ImageBackend,
  type KubeObject,
  type LiveObject,
  type ObjectRef,
  ReleaseFailed,
  type ReleaseRecord,
  type ReleaseSpec,
  type ReleaseStatus,
} from "./backend";
import type { Behaviour } from "./behaviour";
import { chartName, rendered, seldonCrd } from "./charts";
import { type Values, asText, asValues, canonical } from "./values";

interface StoredObject extends LiveObject {
  ready: boolean;
  /** Who has applied it. */
  readonly managers: Set<string>;
  /** The release that has installed it: `namespace/name`. */
  readonly release?: string;
  /** What the cluster does for it by itself, whoever waits: runs a Job, starts pods. */
  readonly work: Promise<void>;
}

const operatorChart = "seldon-core-operator";
/** API groups that every cluster has; the others need a definition. */
const builtInGroups = /^(|apps|batch|autoscaling|policy|.*\.k8s\.io)$/;

/** A cluster in memory, with its Docker daemon, that outlives the providers which change it. */
export class MemoryCluster implements ClusterBackend, ImageBackend {
  readonly objects = new Map<string, StoredObject>();
  /** All revisions of each release, by `namespace/name`. */
  readonly releases = new Map<string, ReleaseRecord[]>();
  readonly images = new Map<string, BuiltImage & { readonly pushed: boolean; readonly builds: number }>();
  /** What a real cluster would have been harmed by, such as an operator that went before its resources. */
  readonly faults: string[] = [];
  /** Whether its Docker daemon runs. */
  daemon = true;
  /** Milliseconds for which the operator's webhook refuses after its release is ready. */
  webhookDelay = 0;
  private webhookUp = 0;

  constructor(readonly behaviour: Behaviour) {}

  /** Another cluster in which everything is as it is here. */
  copy(behaviour: Behaviour): MemoryCluster {
    const other = new MemoryCluster(behaviour);
    for (const [key, object] of this.objects)
      other.objects.set(key, { ...object, managers: new Set(object.managers) });
    for (const [key, records] of this.releases) other.releases.set(key, records);
    for (const [key, image] of this.images) other.images.set(key, image);
    return other;
  }

  /** Everything that is there, as lines for people and assertions; `kube-system` and the like are not modelled. */
  inventory(): string[] {
    const releases = [...this.releases].map(
      ([key, records]) => `Release ${key} ${records.at(-1)?.status ?? ""}`,
    );
    return [...this.objects.keys(), ...releases].sort();
  }

  create(object: KubeObject, manager: string): Promise<void> {
    if (this.objects.has(keyOf(object))) {
      const [group = "", version] = object.apiVersion.split("/");
      const plural = `${object.kind.toLowerCase()}s`;
      const resource = version === undefined ? plural : `${plural}.${group}`;
      throw new Error(`${resource} "${object.name}" already exists`);
    }
    return this.apply(object, manager);
  }

  apply(object: KubeObject, manager: string, force = false): Promise<void> {
    this.requireNamespace(object);
    this.requireKind(object);
    const existing = this.objects.get(keyOf(object));
    const same = existing !== undefined && canonical(existing.manifest) === canonical(object.manifest);
    const others = [...(existing?.managers ?? [])].filter((other) => other !== manager);
    if (!same && !force && others.length > 0) {
      throw new Error(
        `Apply failed with 1 conflict: conflict with "${others.join(", ")}" on ${keyOf(object)}`,
      );
    }
    if (existing !== undefined && object.kind === "Job" && !sameSpec(existing, object)) {
      throw new Error(`Job.batch "${object.name}" is invalid: spec.template: field is immutable`);
    }
    const managers = force ? new Set([manager]) : new Set([...(existing?.managers ?? []), manager]);
    if (same) this.objects.set(keyOf(object), { ...existing, managers });
    else this.put(object, { managers });
    return Promise.resolve();
  }

  get(ref: ObjectRef): Promise<LiveObject | undefined> {
    return Promise.resolve(this.objects.get(keyOf(ref)));
  }

  async ready(ref: ObjectRef): Promise<void> {
    await this.objects.get(keyOf(ref))?.work;
    if (!this.objects.has(keyOf(ref))) throw new Error(`${keyOf(ref)} was deleted while it was waited for`);
  }

  async remove(ref: ObjectRef): Promise<void> {
    await this.behaviour.meet("work", `remove ${keyOf(ref)}`);
    const gone = this.objects.delete(keyOf(ref));
    if (gone && ref.kind === "SeldonDeployment" && this.operator() === undefined) this.outlived(ref);
    if (ref.kind === "CustomResourceDefinition") this.removeCustomResources(ref.name);
    if (ref.kind !== "Namespace") return;
    for (const [key, object] of this.objects) if (object.namespace === ref.name) this.objects.delete(key);
    for (const key of this.releases.keys()) if (key.startsWith(`${ref.name}/`)) this.releases.delete(key);
  }

  release(namespace: string, name: string): Promise<ReleaseRecord | undefined> {
    return Promise.resolve(this.releases.get(`${namespace}/${name}`)?.at(-1));
  }

  /** Forgets Helm's records, the newest or all; what they have installed stays. */
  forget(namespace: string, name: string, scope: "newest" | "all"): void {
    const key = `${namespace}/${name}`;
    const left = scope === "all" ? [] : (this.releases.get(key) ?? []).slice(0, -1);
    if (left.length === 0) this.releases.delete(key);
    else this.releases.set(key, left);
  }

  /** @param client is aborted when whoever installs has gone: the release then stays as it is. */
  install(spec: ReleaseSpec, client?: AbortSignal): Promise<ReleaseRecord> {
    this.requireNamespace({ namespace: spec.namespace, kind: "Release" });
    if (this.releases.has(`${spec.namespace}/${spec.name}`)) {
      throw new Error("cannot re-use a name that is still in use");
    }
    for (const { object } of rendered(spec)) this.requireOwnership(object, spec);
    return this.rollOut(spec, "pending-install", client);
  }

  /** @param client as for `install`. */
  upgrade(spec: ReleaseSpec, client?: AbortSignal): Promise<ReleaseRecord> {
    const last = this.releases.get(`${spec.namespace}/${spec.name}`)?.at(-1);
    if (last === undefined) throw new Error(`"${spec.name}" has no deployed releases`);
    if (last.status.startsWith("pending")) {
      throw new Error("another operation (install/upgrade/rollback) is in progress");
    }
    return this.rollOut(spec, "pending-upgrade", client);
  }

  async uninstall(namespace: string, name: string, client?: AbortSignal): Promise<void> {
    const key = `${namespace}/${name}`;
    const last = this.releases.get(key)?.at(-1);
    if (last === undefined) throw new Error(`uninstall: Release not loaded: ${name}: release: not found`);
    this.record({ ...last, status: "uninstalling" }, true);
    await this.behaviour.meet("work", `uninstall Release ${key}`, client);
    for (const { object, keep } of rendered(last)) {
      if (keep === true) continue;
      this.objects.delete(keyOf(object));
      if (object.kind === "CustomResourceDefinition") this.removeCustomResources(object.name);
    }
    if (chartName(last) === operatorChart) {
      for (const object of this.objects.values())
        if (object.kind === "SeldonDeployment") this.outlived(object);
    }
    this.releases.delete(key);
  }

  async build(name: string, build: Values, push: boolean): Promise<BuiltImage> {
    await this.behaviour.meet("work", `build Image ${name}`);
    const digest = `sha256:${createHash("sha256")
      .update(canonical([name, build]))
      .digest("hex")}`;
    const builds = (this.images.get(name)?.builds ?? 0) + 1;
    this.images.set(name, { name, digest, pushed: push, builds });
    return { name, digest };
  }

  image(name: string): Promise<BuiltImage | undefined> {
    if (!this.daemon) throw new Error("failed to connect to any docker daemon");
    return Promise.resolve(this.images.get(name));
  }

  removeImage(name: string): Promise<void> {
    this.images.delete(name);
    return Promise.resolve();
  }

  private async rollOut(
    spec: ReleaseSpec,
    pending: ReleaseStatus,
    client: AbortSignal | undefined,
  ): Promise<ReleaseRecord> {
    const key = `${spec.namespace}/${spec.name}`;
    const revision = (this.releases.get(key)?.at(-1)?.revision ?? 0) + 1;
    this.record({ ...spec, status: pending, revision });
    for (const { object } of rendered(spec)) {
      this.put(object, { managers: new Set(["helm"]), release: key });
    }
    try {
      await this.behaviour.meet("work", `${pending.slice("pending-".length)} Release ${key}`, client);
      this.requirePending(key, revision, client);
    } catch (error) {
      if (this.isPending(key, revision, client)) this.record({ ...spec, status: "failed", revision }, true);
      throw new ReleaseFailed(error instanceof Error ? error.message : String(error));
    }
    if (chartName(spec) === operatorChart) this.webhookUp = performance.now() + this.webhookDelay;
    const done = { ...spec, status: "deployed", revision } as const;
    this.record(done, true);
    return done;
  }

  /** The revision is still under way, and somebody is there to end it. */
  private isPending(key: string, revision: number, client: AbortSignal | undefined): boolean {
    const last = this.releases.get(key)?.at(-1);
    return client?.aborted !== true && last?.revision === revision && last.status.startsWith("pending-");
  }

  private requirePending(key: string, revision: number, client: AbortSignal | undefined): void {
    if (!this.isPending(key, revision, client))
      throw new Error(`update: release ${key} revision ${revision}: not found`);
  }

  private record(record: ReleaseRecord, inPlace = false): void {
    const key = `${record.namespace}/${record.name}`;
    const before = this.releases.get(key) ?? [];
    this.releases.set(key, [...(inPlace ? before.slice(0, -1) : before), record]);
  }

  private operator(): ReleaseRecord | undefined {
    return [...this.releases.values()]
      .map((records) => records.at(-1))
      .find((record) => record !== undefined && chartName(record) === operatorChart);
  }

  private put(object: KubeObject, more: Pick<StoredObject, "managers" | "release">): void {
    const work = this.work(object);
    const stored: StoredObject = { ...object, ...more, work, ready: false };
    this.objects.set(keyOf(object), stored);
    // Whoever waits hears of a failure; if nobody does, it is still no error of the cluster.
    work.then(
      () => (stored.ready = true),
      () => undefined,
    );
  }

  private async work(ref: ObjectRef): Promise<void> {
    // A gate: what an operator's namespace runs as a Job waits for its webhook.
    if (ref.kind === "Job" && ref.namespace === this.operator()?.namespace) {
      await sleep(Math.max(0, this.webhookUp - performance.now()));
    }
    await this.behaviour.meet("work", `ready ${keyOf(ref)}`);
  }

  private requireNamespace({ namespace, kind }: { namespace: string; kind: string }): void {
    if (namespace === "" || namespace === "default" || namespace === "kube-system") return;
    if (this.objects.has(`Namespace ${namespace}`)) return;
    throw new Error(`${kind}: namespaces "${namespace}" not found`);
  }

  private requireKind({ apiVersion, kind }: ObjectRef): void {
    const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
    if (builtInGroups.test(group)) return;
    const defined = `${kind.toLowerCase()}s.${group}`;
    if (!this.objects.has(`CustomResourceDefinition ${defined}`)) {
      throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
    }
    if (
      defined === seldonCrd &&
      (this.operator()?.status !== "deployed" || performance.now() < this.webhookUp)
    ) {
      throw new Error(
        'Internal error occurred: failed calling webhook "v1.mseldondeployment.kb.io": connect: connection refused',
      );
    }
  }

  /** Helm takes over what bears its marks for this very release, and nothing else. */
  private requireOwnership(object: KubeObject, spec: ReleaseSpec): void {
    const existing = this.objects.get(keyOf(object));
    const wanted = `${spec.namespace}/${spec.name}`;
    if (existing === undefined || existing.release === wanted) return;
    throw new Error(
      `Unable to continue with install: ${keyOf(object)} exists and cannot be imported into the current release: ` +
        `invalid ownership metadata; annotation validation error: key "meta.helm.sh/release-name" must equal "${spec.name}"`,
    );
  }

  private removeCustomResources(crd: string): void {
    for (const [key, object] of this.objects) {
      const [group = ""] = object.apiVersion.split("/");
      if (`${object.kind.toLowerCase()}s.${group}` !== crd) continue;
      this.objects.delete(key);
      this.outlived(object);
    }
  }

  private outlived(object: ObjectRef): void {
    this.faults.push(`custom resource outlived its operator: ${keyOf(object)}`);
  }
}

/** `Kind namespace/name`, or `Kind name` for what belongs to no namespace. */
export function keyOf({ kind, namespace, name }: Omit<ObjectRef, "apiVersion">): string {
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

function sameSpec(a: KubeObject, b: KubeObject): boolean {
  return canonical(asValues(a.manifest["spec"])) === canonical(asValues(b.manifest["spec"]));
}

/** What Secrets hold, laid open. */
export function secretData(objects: Iterable<KubeObject>): string[] {
  return [...objects]
    .filter(({ kind }) => kind === "Secret")
    .flatMap(({ manifest }) => [
      ...Object.values(asValues(manifest["stringData"])).map(asText),
      ...Object.values(asValues(manifest["data"])).map((data) =>
        Buffer.from(asText(data), "base64").toString(),
      ),
    ]);
}

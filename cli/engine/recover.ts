import type { Stack } from "@pulumi/pulumi/automation";

import type { Step } from "../progress";
import { withoutImages } from "./builtImages";
import { type LockSettings, settleLock } from "./locks";
import { type StraySettings, releaseType, straysOf, withStrays } from "./strays";
import { type Deployment, type StateResource, exportState, importState, objectId } from "./state";

/** A release as Helm has recorded it. */
export interface ReleaseState {
  readonly name: string;
  /** Of the newest revision: `deployed`, `failed`, `pending-install`, `uninstalling`, … */
  readonly status: string;
  /** Name of its chart. */
  readonly chart: string;
}

/** Helm's own records of its releases, which lie in the cluster. */
export interface ReleaseRecords {
  /** All releases of a namespace. */
  list(namespace: string): Promise<readonly ReleaseState[]>;
  /**
   * Forgets the newest revision, or all. What was installed stays, with Helm's marks on it, and the next installation
   * under the same name takes it over.
   */
  forget(namespace: string, name: string, scope: "newest" | "all"): Promise<void>;
}

/** What the recovery is for, and what is the platform's own. */
export interface RecoverySettings extends LockSettings, StraySettings {
  /** The command that follows. */
  readonly next: "up" | "destroy";
  /** Names of the platform's charts: releases of others are left alone. */
  readonly charts: readonly string[];
  /** What the program declares; asked for only where the cluster may have more than the state. */
  readonly declared: () => Promise<readonly StateResource[]>;
  /** The stack's settings. @default `Pulumi.<stack>.yaml` of the workspace */
  readonly configFile?: string;
}

/** What was found after an interruption, and put right. */
export interface Recovery {
  /** A lock that no living process held. */
  readonly staleLock: boolean;
  /** Resources with which something was under way, as URNs. */
  readonly interrupted: readonly string[];
  /** Releases of which a record was forgotten, as `namespace/name`. */
  readonly forgotten: readonly string[];
  /** Resources that were taken into the state, in case they are there, as URNs. */
  readonly adopted: readonly string[];
  /** Releases that have failed and are to be tried again, as `namespace/name`. */
  readonly failed: readonly string[];
  /** The state has just been compared with the cluster; another comparison would forget what has failed. */
  readonly compared: boolean;
}

interface Found {
  readonly namespace: StateResource;
  readonly release: ReleaseState;
  /** `namespace/name`. */
  readonly id: string;
}

const namespaceType = "kubernetes:core/v1:Namespace";

/**
 * Brings a stack whose last run was cut off to where the next `up` or `destroy` finishes the work: removes a lock
 * that nobody holds, settles the operations that were under way, and looks again at what there is. Where the last run
 * came to a good end it changes nothing.
 *
 * Images that are not built any more are forgotten: they need nobody, and their daemon may be gone.
 *
 * A release that the state has and Helm has not is forgotten before a `destroy`: somebody has removed it, or its
 * namespace, and Helm would refuse to remove it. An object that the cluster has and the state has not is taken into the
 * state. Helm
 * refuses an installation under a name that it has on record, and any work on a release of which a revision is not
 * finished. So before an `up`, unfinished revisions are forgotten, and releases of which nobody knows how they came
 * about, which are then installed again over what is there; before a `destroy`, they are taken into the state, so
 * that Helm removes them. A release that has failed is upgraded in place by the next `up`.
 *
 * @throws StackBusy another run is at work on the stack.
 */
export async function recover(
  stack: Stack,
  records: ReleaseRecords,
  settings: RecoverySettings,
  step: Step,
): Promise<Recovery> {
  const staleLock = await settleLock(stack, settings, step);
  const [state, [last]] = await Promise.all([exportState(stack), stack.history(1, 1, false)]);
  const { pending_operations: pending = [] } = state.deployment;
  const interrupted = pending.map(({ resource }) => resource.urn);
  // A provider that died leaves nothing behind but a run that failed: the engine takes its call for undone.
  const cutOff = staleLock || pending.length > 0 || (last !== undefined && last.result !== "succeeded");
  // What a removal has left on purpose was left by one that came to a good end.
  const looked = cutOff || settings.next === "up";
  const declared = looked ? await settings.declared() : [];
  const strays = looked ? await straysOf(state.deployment, declared, settings) : [];
  const before = withStrays(state.deployment.resources ?? [], strays);
  const isBuilt = (urn: string) => settings.next === "up" && declared.some((one) => one.urn === urn);
  // A removal that goes on undisturbed leaves them where they are by itself.
  const resources = looked ? withoutImages(before, isBuilt) : before;
  const dropped = before.length - resources.length;
  const recorded = await releasesOf(resources, records);
  const found = looked ? recorded : [];
  const { forgotten, releases } = settle(resources, pending, found, settings);
  const broken =
    settings.next === "up"
      ? forgotten.length > 0 || failedOf(resources, found).length > 0
      : hasLost(resources, recorded);
  if (!cutOff && strays.length === 0 && dropped === 0 && !broken)
    return { staleLock, interrupted, forgotten: [], adopted: [], failed: [], compared: false };

  step.detail("settling what an earlier run has left unfinished");
  const adopted = [...strays, ...releases];
  for (const { id, scope } of forgotten) {
    const [namespace = "", name = ""] = id.split("/");
    await records.forget(namespace, name, scope);
  }
  if (adopted.length > 0 || dropped > 0) {
    const all = [...resources, ...releases];
    await importState(stack, {
      ...state,
      deployment: { ...state.deployment, resources: all, pending_operations: [] },
    });
  }
  step.detail("comparing the state with the cluster");
  const { configFile } = settings;
  await stack.refresh({ clearPendingCreates: true, ...(configFile === undefined ? {} : { configFile }) });
  const failed = settings.next === "up" ? await markFailed(stack, records) : [];
  return {
    staleLock,
    interrupted,
    forgotten: forgotten.map(({ id }) => id),
    adopted: adopted.map(({ urn }) => urn),
    failed,
    compared: true,
  };
}

/**
 * Writes into the state which releases have failed. The engine takes a release that is there for one in order, once it
 * has compared it with the cluster; what has errors in the state it updates, whether something has changed or not.
 *
 * @returns `namespace/name` of each.
 */
async function markFailed(stack: Stack, records: ReleaseRecords): Promise<string[]> {
  const state = await exportState(stack);
  const { resources = [] } = state.deployment;
  const failed = failedOf(resources, await releasesOf(resources, records));
  if (failed.length === 0) return [];
  const marked = resources.map((one) =>
    one.type === releaseType && failed.includes(one.id ?? "")
      ? { ...one, initErrors: ["Helm says that it has failed"] }
      : one,
  );
  await importState(stack, { ...state, deployment: { ...state.deployment, resources: marked } });
  return failed;
}

/** The stack's releases that have failed, as `namespace/name`. */
function failedOf(resources: readonly StateResource[], found: readonly Found[]): string[] {
  const known = resources.filter(({ type }) => type === releaseType).map(({ id }) => id);
  return found.flatMap(({ id, release }) => (release.status === "failed" && known.includes(id) ? [id] : []));
}

/** Whether Helm knows nothing of a release in the state. */
function hasLost(resources: readonly StateResource[], recorded: readonly Found[]): boolean {
  return resources.some(({ type, id }) => type === releaseType && !recorded.some((one) => one.id === id));
}

/** The releases in the namespaces that the stack has made. */
async function releasesOf(resources: readonly StateResource[], records: ReleaseRecords): Promise<Found[]> {
  const namespaces = resources.filter(({ type }) => type === namespaceType);
  const found = await Promise.all(
    namespaces.map(async (namespace) => {
      const name = namespace.id ?? "";
      return (await records.list(name)).map((release) => ({
        namespace,
        release,
        id: `${name}/${release.name}`,
      }));
    }),
  );
  return found.flat();
}

/** Decides which releases are forgotten in the cluster, and which are taken into the state. */
function settle(
  resources: readonly StateResource[],
  pending: NonNullable<Deployment["pending_operations"]>,
  found: readonly Found[],
  { next, charts }: RecoverySettings,
) {
  const urns = new Set(resources.map(({ urn }) => urn));
  const adopted: StateResource[] = pending
    .filter(
      ({ type, resource }) => type === "creating" && resource.type === releaseType && !urns.has(resource.urn),
    )
    .map(({ resource }) => ({ ...resource, id: objectId(resource), outputs: {} }));
  const releases = [...resources, ...adopted].filter(({ type }) => type === releaseType);
  const forgotten: { id: string; scope: "newest" | "all" }[] = [];
  for (const { namespace, release, id } of found) {
    const known = releases.some((each) => each.id === id);
    if (!known && !charts.includes(release.chart)) continue;
    if (next === "destroy") {
      if (!known) adopted.push(strayRelease(namespace, release));
    } else if (known && release.status.startsWith("pending-")) forgotten.push({ id, scope: "newest" });
    else if (!known || release.status === "uninstalling") forgotten.push({ id, scope: "all" });
  }
  return { releases: adopted, forgotten };
}

/** A release as the state would have it, below its namespace, so that this is removed after it. */
function strayRelease(namespace: StateResource, { name }: ReleaseState): StateResource {
  const [prefix = "", types = "", namespaceName = ""] = splitUrn(namespace.urn);
  return {
    urn: `${prefix}::${types}$${releaseType}::${namespaceName}-${name}`,
    type: releaseType,
    custom: true,
    id: `${namespace.id ?? ""}/${name}`,
    parent: namespace.urn,
    ...(namespace.provider === undefined ? {} : { provider: namespace.provider }),
    inputs: {},
    outputs: {},
  };
}

/** A URN as stack and project, types, and name. */
function splitUrn(urn: string): string[] {
  const parts = urn.split("::");
  return [parts.slice(0, 2).join("::"), parts[2] ?? "", parts.slice(3).join("::")];
}

import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import type { V1CustomResourceDefinition } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";

import { condition } from "../cluster/diagnosis/scene";
import { type Cluster, type Live, Refused } from "../cluster/cluster";
import { KnownKinds, inWords } from "../cluster/kinds";
import { type HelmRelease, HelmReleases } from "../cluster/releases";
import type { Step } from "../progress";
import { changedPlace } from "./changedPlace";
import type { Declared } from "./declared";

/** An object as a chart renders it. */
interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: object;
    readonly annotations?: object;
  };
  readonly [key: string]: unknown;
}

/** An object of a release that was not as the release has it. */
export interface Restored {
  readonly object: string;
  readonly was: "gone" | "changed";
  /** Why it could not be put back, or not be compared; undefined if it is in order again. */
  readonly problem?: string;
}

type Values = Readonly<Record<string, unknown>>;

/** Metadata apart, what may differ between an object and what it was asked to be. */
const notCompared = ["metadata", "status"];
/** Of a definition as large as a megabyte the versions are compared, and which of them are served. */
const comparedCharacters = 100_000;

/**
 * Finds what of the stack's releases was deleted or changed by hand, and puts it back. Helm compares with its own record only, and
 * the engine with Helm's: a deleted operator is unchanged to both.
 *
 * Volume claims are left alone: an empty one in the place of one that is gone would hide that data are lost.
 *
 * @param how `look` changes nothing.
 * @returns what was not as it should be.
 * @throws Refused
 */
export async function restoreReleases(
  cluster: Cluster,
  declared: readonly Declared[],
  step: Step,
  how: "look" | "restore" = "restore",
): Promise<readonly Restored[]> {
  step.detail("comparing the releases with what is there");
  const releases = new HelmReleases(cluster);
  const namespaces = [
    ...new Set(declared.flatMap(({ kind, namespace }) => (kind === "Release" ? namespace : []))),
  ];
  const found = (await Promise.all(namespaces.map((namespace) => releases.list(namespace)))).flat();
  const own = found.filter(
    ({ name, namespace, status }) =>
      status === "deployed" &&
      declared.some((one) => one.kind === "Release" && one.name === name && one.namespace === namespace),
  );
  const kinds = new KnownKinds(cluster);
  const restored = await Promise.all(
    own.flatMap((release) =>
      objectsOf(release).map((object) => restore(cluster, kinds, release, object, how)),
    ),
  );
  return restored.flatMap((one) => one ?? []);
}

function objectsOf({ manifest }: HelmRelease): Rendered[] {
  // As Helm reads it: a mode of 0755 is octal.
  return parseAllDocuments(manifest, { version: "1.1" })
    .flatMap((document) => (document.toJS() as Rendered | null) ?? [])
    .filter(({ kind }) => kind !== "PersistentVolumeClaim");
}

async function restore(
  cluster: Cluster,
  kinds: KnownKinds,
  release: HelmRelease,
  rendered: Rendered,
  how: "look" | "restore",
): Promise<Restored | undefined> {
  const address = await kinds.addressOf(rendered, release.namespace);
  if (address === undefined) return undefined;
  let live: Live<Values> | undefined;
  try {
    live = await cluster.get<Values>(address);
  } catch (error) {
    // What may not be read says nothing of the rest.
    if (error instanceof Refused && error.status === 403) return undefined;
    throw error;
  }
  const body = JSON.stringify(withOwner(rendered, release));
  const object = inWords(rendered.kind, release.namespace, rendered.metadata.name);
  const was = live === undefined ? "gone" : "changed";
  try {
    if (live !== undefined) {
      if (body.length > comparedCharacters) {
        if (isDeepStrictEqual(versionsOf(rendered), versionsOf(live))) return undefined;
      } else if (isSame(JSON.parse(await apply(cluster, address, body, "&dryRun=All")) as Values, live))
        return undefined;
    }
    if (how === "restore") await apply(cluster, address, body);
    if (how === "restore" && rendered.kind === "CustomResourceDefinition")
      await established(cluster, address);
    return { object, was };
  } catch (error) {
    // What cannot be put back is for the check that follows: it may be well all the same.
    if (!(error instanceof Refused)) throw error;
    // Whoever may only read may not ask what the API server would make of it.
    if (how === "look" && error.status === 403 && live !== undefined)
      return changedPlace(rendered, live) === undefined ? undefined : { object, was };
    return { object, was, problem: error.message };
  }
}

/** Waits until the API server takes objects of a definition; what needs them says so if it takes longer. */
async function established(cluster: Cluster, address: string): Promise<void> {
  for (let left = 40; left > 0; left -= 1) {
    const found = await cluster.get<V1CustomResourceDefinition>(address);
    if (condition(found?.status?.conditions, "Established")) return;
    await sleep(250);
  }
}

/** The versions of a definition; none of anything else. */
function versionsOf({ spec }: Values): unknown[] {
  const { versions = [] } = (spec ?? {}) as {
    versions?: { name: string; served: boolean; storage: boolean }[];
  };
  return versions.map(({ name, served, storage }) => ({ name, served, storage }));
}

/** Whether an object is what it was asked to be; the API server has filled in the rest of both. */
function isSame(meant: Values, live: Values): boolean {
  return Object.keys(meant).every(
    (key) => notCompared.includes(key) || isDeepStrictEqual(meant[key], live[key]),
  );
}

/** As Helm writes it: without its marks it would take the object for somebody else's. */
function withOwner(rendered: Rendered, { name, namespace }: HelmRelease): Rendered {
  const { metadata } = rendered;
  return {
    ...rendered,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, "app.kubernetes.io/managed-by": "Helm" },
      annotations: {
        ...metadata.annotations,
        "meta.helm.sh/release-name": name,
        "meta.helm.sh/release-namespace": namespace,
      },
    },
  };
}

async function apply(cluster: Cluster, address: string, body: string, more = ""): Promise<string> {
  const answer = await cluster.send(`${address}?fieldManager=helm&force=true${more}`, {
    method: "PATCH",
    contentType: "application/apply-patch+yaml",
    body,
  });
  return answer.body;
}

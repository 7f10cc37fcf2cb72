import type { V1Namespace } from "@kubernetes/client-node";

import type { Cluster } from "../cluster/cluster";
import { appImageBuilds } from "../cluster/images";
import type { ObjectName } from "../cluster/kinds";
import { notDecided } from "../../config/decisionChecks";
import { keptContext } from "../engine/settings";
import { objectOf } from "../deploy/busy";
import { type Declared, declaredBy } from "../deploy/declared";
import { lostFiles } from "../deploy/wholeness";
import { messageOf } from "../errors";
import { type RecordedResource, type Recording, markers } from "../plan/recording";
import { backend } from "../serving/backend";
import type { Item } from "./item";
import type { Look } from "./pods";

/** An object, and as it is declared. */
export interface DeclaredOther extends ObjectName {
  readonly meant: Readonly<Record<string, unknown>>;
}

/** What a stack declares, as far as its status tells of it. */
export interface DeclaredStatus {
  /** What has a state of its own. */
  readonly objects: readonly Declared[];
  /** What is there or not. */
  readonly others: readonly DeclaredOther[];
  /** The models of {@link objects}, as far as it is known which versions they serve. */
  readonly models: readonly DeclaredOther[];
  /** Names of what is called otherwise elsewhere: images that are built, by who builds them; what lists the versions, where those are not known. */
  readonly varying: readonly string[];
  /** What lies outside of the cluster. */
  readonly elsewhere: readonly Item[];
}

/** What has a state of its own. */
const withState: readonly string[] = ["Release", "Job", backend.kind];

export const nothing: DeclaredStatus = { objects: [], others: [], models: [], varying: [], elsewhere: [] };

/**
 * What a stack declares that was brought up from here, or that is named: the cluster alone does not tell what it lacks.
 *
 * @throws UserError the stack's file is wrong.
 */
export async function declaredStatus(stack: string, named: boolean): Promise<DeclaredStatus> {
  if (!named && keptContext(stack) === undefined) return nothing;
  // The SDK takes a second, for which a cluster without a stack need not wait.
  const { recordStack } = await import("../plan/plan.js");
  return declaredIn(await recordStack(stack, "assume"));
}

/** What a recorded program declares. */
export function declaredIn(recording: Recording): DeclaredStatus {
  const { resources } = recording;
  const objects = declaredBy(recording);
  const elsewhere = resources.flatMap(({ type, inputs }): Item[] => {
    const text = (key: string) => {
      const value = inputs[key];
      return typeof value === "string" || typeof value === "number" ? String(value) : "";
    };
    const own = { health: "well", state: "elsewhere" } as const;
    if (type === "mlplatform:database:ExternalDatabase")
      return [
        { ...own, part: "database", name: text("database"), detail: `at ${text("host")}:${text("port")}` },
      ];
    if (type === "mlplatform:objectStore:ExternalS3")
      return [{ ...own, part: "object store", name: text("provider"), detail: `at ${text("endpoint")}` }];
    return [];
  });
  const named = resources.flatMap(nameIn);
  const others = named.filter(({ kind }) => !withState.includes(kind));
  const models = named.filter(
    ({ kind, meant }) => kind === backend.kind && !JSON.stringify(meant).includes(notDecided),
  );
  // What is immutable is named after its content. Without the lock, which a stack of `dev` keeps where it was brought up, it is not known.
  const isGuessed = (one: DeclaredOther) =>
    one.meant["immutable"] === true &&
    JSON.stringify(resources.map(({ inputs }) => inputs)).includes(notDecided);
  const guessed = others.filter(isGuessed);
  return {
    objects,
    others: others.filter((one) => !guessed.includes(one)),
    models,
    varying: [
      ...appImageBuilds(recording).map(({ reference }) => reference),
      ...guessed.map(({ metadata: { name } }) => name),
    ],
    elsewhere,
  };
}

/** An object's name, unless only a deployment gives it one. */
function nameIn({ type, inputs, read }: RecordedResource): DeclaredOther[] {
  const { kind, namespace, name } = objectOf(type, inputs);
  const apiVersion = inputs["apiVersion"];
  if (!type.startsWith("kubernetes:") || typeof apiVersion !== "string" || read !== undefined) return [];
  if (name === "" || [name, namespace].includes(markers.unknown)) return [];
  const metadata = { name, ...(namespace === "" ? {} : { namespace }) };
  return [{ apiVersion, kind, metadata, meant: inputs }];
}

/** What is declared and not there. */
export function missingItems(declared: readonly Declared[], items: readonly Item[]): Item[] {
  const has = (part: Item["part"], name: string) =>
    items.some((item) => item.part === part && item.name === name);
  // A list that could not be had says nothing of what is in it.
  const unknown = (part: Item["part"]) =>
    items.some((item) => item.part === part && item.state === "unknown");
  return declared.flatMap(({ kind, namespace, name }): Item[] => {
    if (kind === "Job") return [];
    const part = kind === "Release" ? "release" : "model";
    const shown = kind === "Release" ? `${namespace}/${name}` : name;
    if (has(part, shown) || unknown(part)) return [];
    const detail = "the stack declares it, and it is not in the cluster";
    return [{ part, name: shown, health: "ill", state: "missing", detail, mend: "npm run up" }];
  });
}

/** Namespaces that are on their way out: nothing can be made in them, and something may hold them. */
export async function endingItems(
  cluster: Cluster,
  namespaces: readonly string[],
  look: Look,
): Promise<Item[]> {
  const found = await Promise.all(
    namespaces.map((name) => cluster.get<V1Namespace>(`/api/v1/namespaces/${name}`)),
  );
  const ending = found.flatMap((one) =>
    one?.metadata?.deletionTimestamp === undefined ? [] : [one.metadata],
  );
  if (ending.length === 0) return [];
  const findings = await look(ending.map(({ name }) => name ?? ""));
  return ending.map(({ name = "", deletionTimestamp = "" }) => {
    const finding = findings.find(({ object }) => object.kind === "Namespace" && object.name === name);
    const detail = finding?.what ?? `is being removed since ${deletionTimestamp}`;
    return {
      part: "namespace",
      name,
      health: "ill",
      state: "ending",
      detail,
      mend: finding?.mend ?? "npm run doctor",
    };
  });
}

/** Models in service whose files are gone from the store. @throws Refused */
export async function fileItems(cluster: Cluster): Promise<Item[]> {
  return (await lostFiles(cluster)).map(({ model, place }) => ({
    part: "model",
    name: `files of ${model}`,
    health: "ill",
    state: "gone",
    detail: `${place} in the store; the pods that run go on, and no other one would start`,
    mend: "npm run up",
  }));
}

/** That a stack's file is wrong, as a line of its status. */
export function unreadable(stack: string, error: unknown): Item {
  const [detail = ""] = messageOf(error).split("\n", 1);
  return { part: "stack", name: stack, health: "ill", state: "unknown", detail, mend: "npm run preview" };
}

import type { EngineEvent } from "@pulumi/pulumi/automation";

import { at } from "../../policy/rules/values";
import type { Recording } from "../plan/recording";
import { type DeclaredVersion, backend } from "../serving/backend";
import { objectOf } from "./busy";

/** What a stack declares and a cluster must have in order before it counts as up. */
export interface Declared {
  readonly kind: "Release" | "Job" | typeof backend.kind;
  readonly namespace: string;
  readonly name: string;
  /** Of a model: the versions that are to serve. */
  readonly predictors: readonly DeclaredVersion[];
}

const kinds: readonly string[] = ["Release", "Job", backend.kind] satisfies Declared["kind"][];

/** Gathers what a run of the engine declares: it tells of every resource, the unchanged ones too. */
export class DeclaredObjects {
  private readonly byUrn = new Map<string, Declared>();

  /** Takes in what the engine tells. */
  onEvent({ resOutputsEvent }: EngineEvent): void {
    const metadata = resOutputsEvent?.metadata;
    // A refresh tells of what the program may no longer have.
    if (metadata === undefined || metadata.op === "refresh") return;
    // Of what is removed there is none, which the engine writes as null.
    const state = metadata.new ?? undefined;
    if (state === undefined) return;
    const found = declaredObject(metadata.type, state.inputs as Readonly<Record<string, unknown>>);
    if (found !== undefined) this.byUrn.set(metadata.urn, found);
  }

  get all(): readonly Declared[] {
    return [...this.byUrn.values()];
  }
}

/** What a resource declares; undefined if it is of no kind that has a state of its own, or is not known yet. */
export function declaredObject(
  type: string,
  inputs: Readonly<Record<string, unknown>>,
): Declared | undefined {
  const { kind, namespace, name } = objectOf(type, inputs);
  if (!type.startsWith("kubernetes:") || !kinds.includes(kind) || name === "") return undefined;
  // A Job that the engine does not wait for is on its own.
  if (kind === "Job" && at(inputs, "metadata", "annotations", "pulumi.com/skipAwait") !== undefined)
    return undefined;
  return {
    kind: kind as Declared["kind"],
    namespace,
    name,
    predictors: kind === backend.kind ? backend.declared(inputs) : [],
  };
}

/** What a recorded program declares. */
export function declaredBy({ resources }: Pick<Recording, "resources">): Declared[] {
  return resources.flatMap(({ type, inputs }) => declaredObject(type, inputs) ?? []);
}

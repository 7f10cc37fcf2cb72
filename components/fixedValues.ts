/** Values that no chart of the platform may have changed, and why. */
import type { FixedValue, Path } from "./footprint";

/** Names of Services follow from these, and others reach them by name. */
export const chartNames: readonly FixedValue[] = [
  "fullnameOverride",
  "nameOverride",
  "namespaceOverride",
].map((key) => ({ at: [key], why: "others find it by its name" }));

/** A port by which others reach it. */
export function port(at: Path, number: number): FixedValue {
  return { at, why: `others reach it on ${number}, and the network policies open that`, but: [number] };
}

/** Each pod would have a volume, and a truth, of its own. */
export const onePod: FixedValue = {
  at: ["replicaCount"],
  why: "each pod would have data of its own; for more than one take kind: external",
  but: [1],
};

/** Data that end with the pod. */
export const onVolume: FixedValue = {
  at: ["persistence", "enabled"],
  why: "without a volume all data end with the pod",
  but: [true],
};

/** What a key of the configuration does completely. */
export function by(setting: string, ...keys: readonly Path[]): FixedValue[] {
  return keys.map((at) => ({ at, why: `take ${setting}, which does all that belongs to it` }));
}

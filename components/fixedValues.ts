/** Values that no chart of the platform may have changed, and why. */
import type { FixedValue, Path } from "./footprint";

/** Harmless are these values, written as text too. */
export function only(...values: readonly (string | number | boolean)[]) {
  return (value: unknown) => values.some((one) => one === value || String(one) === value);
}

/** Harmless is a switch that is off, and a group that is switched off. */
const off = (value: unknown): boolean =>
  value === false || (value as { readonly enabled?: unknown } | null)?.enabled === false;

/** Names of Services follow from these, and others reach them by name. @param name of the release. */
export function chartNames(name: string): FixedValue[] {
  return ["fullnameOverride", "nameOverride", "namespaceOverride"].map((key) => ({
    at: [key],
    why: "others find it by its name",
    harmless: only(...(key === "fullnameOverride" ? [name] : []), ""),
  }));
}

/** A port by which others reach it. */
export function port(at: Path, number: number): FixedValue {
  return {
    at,
    why: `others reach it on ${number}, and the network policies open that`,
    harmless: only(number),
  };
}

/** Each pod would have a volume, and a truth, of its own. */
export const onePod: FixedValue = {
  at: ["replicaCount"],
  why: "each pod would have data of its own; for more than one take kind: external",
  harmless: only(1),
};

/** Data that end with the pod. */
export const onVolume: FixedValue = {
  at: ["persistence", "enabled"],
  why: "without a volume all data end with the pod",
  // Nothing is the chart's own, which is on.
  harmless: (value) => value === true || value === null,
};

/** What a key of the configuration does completely. */
export function by(setting: string, ...keys: readonly Path[]): FixedValue[] {
  return keys.map((at) => ({
    at,
    why: `take ${setting}, which does all that belongs to it`,
    harmless: off,
  }));
}

/** Values that are as the platform needs them only where nobody touches them. */
export function fixed(why: string, ...keys: readonly string[]): FixedValue[] {
  return keys.map((key) => ({ at: key.split("."), why, harmless: off }));
}

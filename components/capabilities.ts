/**
 * What the platform is able to do: each capability is a folder, with a line here, one in `platform.ts`, and one in
 * `config/schema.ts` if it has settings.
 *
 * Commands and policies read what they must know of a capability from its footprint. None of this loads Pulumi's SDK,
 * which takes a second.
 */
import type { Understood } from "../config/checks";
import type { ChartPin } from "../pins";
import { batch } from "./batch/footprint";
import { database } from "./database/footprint";
import type { ChartFootprint, Footprint, NamespaceFootprint } from "./footprint";
import { frontend } from "./frontend/footprint";
import { images } from "./images/footprint";
import { monitoring } from "./monitoring/footprint";
import { namespaces } from "./namespaces/footprint";
import { objectStore } from "./objectStore/footprint";
import { serving } from "./serving/footprint";
import { tracking } from "./tracking/footprint";
import { training } from "./training/footprint";

const all = [
  namespaces,
  database,
  objectStore,
  tracking,
  serving,
  monitoring,
  images,
  training,
  frontend,
  batch,
] as const;

/** All capabilities, from what the others stand on to what stands on them. */
export const footprints: readonly Footprint[] = all;

type Capability = (typeof all)[number];
/** A union's members in one object. */
type Whole<U> = {
  readonly [K in U extends unknown ? keyof U : never]: U extends Record<K, infer V> ? V : never;
};
type Namespaces = Whole<Extract<Capability, { readonly namespaces: unknown }>["namespaces"]>;

/** What a namespace is called by those who use it. */
export type NamespaceRole = keyof Namespaces;

/** The namespaces, with what is let through between them. */
export const namespacesByRole = merged(footprints.map(({ namespaces = {} }) => namespaces)) as Readonly<
  Record<NamespaceRole, NamespaceFootprint>
>;

/** The namespaces' names. */
export const namespaceNames = Object.fromEntries(
  Object.entries(namespacesByRole).map(([role, { name }]) => [role, name]),
) as Readonly<Record<NamespaceRole, string>>;

/** What is known of each chart, by its name. */
export const chartFootprints: Readonly<Record<string, ChartFootprint>> = merged(
  footprints.map(({ charts = {} }) => charts),
);

/** The charts that a configuration installs. */
export function installedCharts(config: Understood): ChartPin[] {
  return footprints.flatMap(({ installs }) => installs?.(config) ?? []);
}

/** @throws Error two capabilities claim the same name. */
function merged<T>(parts: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  const whole: Record<string, T> = {};
  for (const [name, part] of parts.flatMap(Object.entries) as [string, T][]) {
    if (name in whole) throw new Error(`two capabilities have something called ${name}`);
    whole[name] = part;
  }
  return whole;
}

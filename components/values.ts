/** Values of charts: the platform's own, and those of the user over them. */
import * as pulumi from "@pulumi/pulumi";

import type { Path } from "./footprint";

type Values = Readonly<Record<string, unknown>>;

/**
 * Merges chart values as Helm does: groups key by key, everything else as a whole.
 *
 * @param added lists that are not replaced: what stands over them comes behind what is there. @default none
 */
export function mergeValues(
  base: Values,
  over: Values,
  added: readonly Path[] = [],
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    const below = under(key, added);
    if (isGroup(present) && isGroup(value)) merged[key] = mergeValues(present, value, below);
    else if (present !== undefined && Array.isArray(value) && endsIn(below))
      merged[key] = both(present as pulumi.Input<unknown[]>, value as unknown[]);
    else merged[key] = value;
  }
  return merged;
}

/**
 * Where values would take away a group of the base, or a list that is added to, by something that is neither.
 *
 * @returns paths, as `a.b`.
 */
export function misfits(base: Values, over: Values, added: readonly Path[] = []): string[] {
  return Object.entries(over).flatMap(([key, value]) => {
    const present = base[key];
    const below = under(key, added);
    if (isGroup(present) && Object.keys(present).length > 0)
      return isGroup(value) ? misfits(present, value, below).map((path) => `${key}.${path}`) : [key];
    return endsIn(below) && !Array.isArray(value) ? [key] : [];
  });
}

/** The rest of those paths that go on with a key. */
function under(key: string, paths: readonly Path[]): Path[] {
  return paths.flatMap(([first, ...rest]) => (first === key ? [rest] : []));
}

/** Whether one of the paths ends here. */
function endsIn(paths: readonly Path[]): boolean {
  return paths.some(({ length }) => length === 0);
}

function both(first: pulumi.Input<unknown[]>, second: readonly unknown[]): pulumi.Input<unknown[]> {
  return Array.isArray(first)
    ? [...first, ...second]
    : pulumi.output(first).apply((list) => [...list, ...second]);
}

/** Whether a value is a group of values by their keys. */
export function isGroup(value: unknown): value is Values {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !pulumi.Output.isInstance(value)
  );
}

import { isDeepStrictEqual } from "node:util";

import colors from "picocolors";

import { join } from "../../policy/rules/values";

/** One difference: a value that is there only before, only after, or differs. */
export interface Change {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** All differences between two JSON values, by path. */
export function changes(before: unknown, after: unknown, path = ""): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (before === undefined) return [{ path, after }];
  if (after === undefined) return [{ path, before }];
  if (Array.isArray(before) && Array.isArray(after)) return listChanges(before, after, path);
  if (!isObject(before) || !isObject(after)) return [{ path, before, after }];
  return keyed(before, after, (key) => join(path, key));
}

/** What is compared: named resources, and what else there is of a stack. */
export interface Compared {
  readonly resources: Readonly<Record<string, unknown>>;
}

/** The differences between two stacks, for people: by resource, then of the rest; empty if there are none. */
export function diffText(before: Compared, after: Compared): string {
  const names = [...new Set([...Object.keys(before.resources), ...Object.keys(after.resources)])].sort();
  const resources = names.flatMap((name) => {
    const [old, now] = [before.resources[name], after.resources[name]];
    if (old === undefined) return [colors.green(`+ ${name}`), ...outline(now)];
    if (now === undefined) return [colors.red(`- ${name}`)];
    const found = changes(old, now);
    return found.length === 0 ? [] : [colors.yellow(`~ ${name}`), ...found.map(line)];
  });
  const rest = changes({ ...before, resources: {} }, { ...after, resources: {} });
  return [...resources, ...(rest.length > 0 ? [colors.yellow("~ stack"), ...rest.map(line)] : [])].join("\n");
}

/** How many resources were added, removed and changed. */
export function diffCounts({ resources: before }: Compared, { resources: after }: Compared) {
  const [old, now] = [Object.keys(before), Object.keys(after)];
  return {
    added: now.filter((name) => !(name in before)).length,
    removed: old.filter((name) => !(name in after)).length,
    changed: now.filter((name) => name in before && !isDeepStrictEqual(before[name], after[name])).length,
  };
}

function line({ path, before, after }: Change): string {
  const indent = "    ";
  if (before === undefined) return `${indent}${colors.green(`+ ${path}`)}  ${text(after)}`;
  if (after === undefined) return `${indent}${colors.red(`- ${path}`)}  ${text(before)}`;
  return `${indent}${colors.yellow(`~ ${path}`)}  ${colors.red(text(before))} → ${colors.green(text(after))}`;
}

/** What a new resource has, one line for each leaf of its inputs. */
function outline(resource: unknown): string[] {
  return leaves("", resource).map((leaf) => colors.green(`    ${leaf}`));
}

function leaves(path: string, value: unknown): string[] {
  if (!isObject(value) || Object.keys(value).length === 0) return [`${path}  ${text(value)}`];
  return Object.entries(value).flatMap(([key, item]) => leaves(join(path, key), item));
}

/** Lists of named objects by name, lists of plain values as sets, others by place. */
function listChanges(before: readonly unknown[], after: readonly unknown[], path: string): Change[] {
  const [oldNames, newNames] = [byName(before), byName(after)];
  if (oldNames !== undefined && newNames !== undefined) {
    const found = keyed(oldNames, newNames, (name) => `${path}[${name}]`);
    return found.length > 0 ? found : [{ path, before, after }];
  }
  if ([...before, ...after].every((item) => typeof item !== "object")) {
    const gone = before.filter((item) => !after.includes(item)).map((item) => ({ path, before: item }));
    const come = after.filter((item) => !before.includes(item)).map((item) => ({ path, after: item }));
    const [first, second] = [gone[0], come[0]];
    if (gone.length === 1 && come.length === 1) return [{ path, ...first, ...second }];
    return gone.length + come.length > 0 ? [...gone, ...come] : [{ path, before, after }];
  }
  return keyed(
    Object.fromEntries(before.entries()),
    Object.fromEntries(after.entries()),
    (index) => `${path}[${index}]`,
  );
}

function keyed(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  place: (key: string) => string,
): Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => changes(before[key], after[key], place(key)));
}

/** The items of a list by their `name`; undefined if they are not all told apart by it. */
function byName(items: readonly unknown[]): Record<string, unknown> | undefined {
  const named = items.map((item) => [isObject(item) ? item["name"] : undefined, item] as const);
  const names = new Set(named.map(([name]) => name));
  if (names.size !== items.length || named.some(([name]) => typeof name !== "string")) return undefined;
  return Object.fromEntries(named as [string, unknown][]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

import { stripVTControlCharacters } from "node:util";

import colors from "picocolors";

import { Names, listed, waitsFor } from "./names";
import { type RecordedResource, type Recording, kindOf, sortedBy } from "./recording";
import { whatOf } from "./what";

/**
 * The resources as a tree by parent: each with what it is, and what it waits for.
 *
 * @param width the columns that a line may take. @default no limit
 */
export function tree(
  recording: Recording,
  width = Number.POSITIVE_INFINITY,
  names = new Names(recording),
): string {
  const waits = waitsFor(recording, names);
  const children = childrenOf(recording, names);
  const lines: string[] = [];
  branch("", "");
  return lines.join("\n");

  function branch(urn: string, indent: string): void {
    const members = sortedBy(children.get(urn) ?? [], place);
    members.forEach((resource, index) => {
      const last = index === members.length - 1;
      const below = `${indent}${last ? "   " : "│  "}`;
      lines.push(fit(`${indent}${last ? "└─ " : "├─ "}`, title(resource), whatOf(resource)));
      const waited = waits.get(resource.urn) ?? [];
      const trunk = `${below}${children.has(resource.urn) ? "│  " : "   "}`;
      if (waited.length > 0) lines.push(...wrapped(`after ${listed(waited, names).join(", ")}`, trunk));
      branch(resource.urn, below);
    });
  }

  function title(resource: RecordedResource): string {
    const name = names.inComponent(resource);
    const kind = kindOf(resource);
    return resource.custom ? `${kind} ${name}` : `${colors.bold(kind)} ${name}`;
  }

  /** What a component is made of stands before the components in it, and providers before all. */
  function place(one: RecordedResource): string {
    const kind = kindOf(one);
    const rank = `${kind === "Provider" ? 0 : one.custom ? 1 : 2} ${kind === "Namespace" ? 0 : 1}`;
    return `${rank} ${one.name} ${kind}`;
  }

  function fit(indent: string, head: string, what: string): string {
    const room = Math.max(width - indent.length - stripVTControlCharacters(head).length - 2, 20);
    const text = what.length > room ? `${what.slice(0, room - 1)}…` : what;
    return `${colors.dim(indent)}${head}${text === "" ? "" : `  ${colors.cyan(text)}`}`;
  }

  function wrapped(text: string, indent: string): string[] {
    const room = Math.max(width - indent.length - 2, 30);
    const rows: string[] = [];
    for (const word of text.split(/(?<=,) /)) {
      const row = rows.at(-1);
      if (row === undefined || row.length + word.length + 1 > room) rows.push(word);
      else rows[rows.length - 1] = `${row} ${word}`;
    }
    return rows.map((row, index) => colors.dim(`${indent}${index === 0 ? "" : "      "}${row}`));
  }
}

/** The resources by their parent's URN; those of the stack itself under the empty one. */
export function childrenOf(
  recording: Recording,
  names: Names,
): ReadonlyMap<string, readonly RecordedResource[]> {
  const children = new Map<string, RecordedResource[]>();
  for (const resource of recording.resources) {
    const parent = names.get(resource.parent) === undefined ? "" : resource.parent;
    const members = children.get(parent) ?? [];
    members.push(resource);
    children.set(parent, members);
  }
  return children;
}

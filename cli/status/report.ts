import colors from "picocolors";

import { codeCell, markdownTable } from "../markdown";
import type { ClusterTarget } from "../target";
import type { Health, Item } from "./item";

/**
 * The state of a cluster for people: a line for each part, and what to do about those that are not well.
 * It is coloured with `paint`, by default as the terminal and the environment want it.
 */
export function report(
  { context, version, stack, reason }: ClusterTarget,
  items: readonly Item[],
  paint: ReturnType<typeof colors.createColors> = colors,
): string {
  const marks: Readonly<Record<Health, string>> = {
    well: paint.green("✓"),
    warning: paint.yellow("!"),
    ill: paint.red("✗"),
  };
  const head = `Target: cluster of context ${context.name} (${version}), stack ${stack}: ${reason}`;
  const widths = [
    columnWidth(items, "part"),
    columnWidth(items, "name"),
    columnWidth(items, "state"),
  ] as const;
  const lines = items.map((item, index) => {
    const part = item.part === items[index - 1]?.part ? "" : item.part;
    const cells = [part.padEnd(widths[0]), item.name.padEnd(widths[1]), item.state.padEnd(widths[2])];
    const row = cells.join("  ");
    // Trimmed before it is coloured: a colour's codes would hide the blanks at the end.
    const text = item.detail === "" ? row.trimEnd() : `${row}  ${paint.dim(item.detail)}`;
    return `${marks[item.health]} ${text}`;
  });
  const mends = mendsOf(items);
  const todo = mends.length === 0 ? [] : ["", "What to do:", ...mends];
  return [head, "", ...lines, ...todo, ""].join("\n");
}

/** What is not well, for an issue. */
export function markdownReport({ context, stack }: ClusterTarget, items: readonly Item[]): string {
  const unwell = items.filter(({ health }) => health !== "well");
  const rows = unwell.map(({ health, part, name, state, detail, mend = "" }) => [
    health === "ill" ? "❌" : "⚠️",
    ...[part, name, state, detail, mend].map((text) => (text === "" ? "" : codeCell(text))),
  ]);
  const table = markdownTable(["", "part", "name", "state", "seen", "what to do"], rows);
  return `Stack ${codeCell(stack)}, context ${codeCell(context.name)}:\n\n${table}\n`;
}

/** Each mend once, with what it is for. */
function mendsOf(items: readonly Item[]): string[] {
  const names = new Map<string, Set<string>>();
  for (const { name, mend } of items)
    if (mend !== undefined) names.set(mend, (names.get(mend) ?? new Set()).add(name));
  return [...names].map(([mend, [first = "", ...more]]) => {
    const others = more.length === 0 ? "" : ` and ${more.length} more`;
    return `  ${first}${others}: ${mend}`;
  });
}

function columnWidth(items: readonly Item[], column: "part" | "name" | "state"): number {
  return Math.max(0, ...items.map((item) => item[column].length));
}

/** A table as Markdown has it. @param rows cells by row, as Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A text as code within a line: https://spec.commonmark.org/0.31.2/#code-spans */
export function code(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  const ticks = fenceOf(line, 1);
  return line.includes("`") ? `${ticks} ${line} ${ticks}` : `${ticks}${line}${ticks}`;
}

/** The same in a table, where a bar would end the cell even so. */
export function codeCell(text: string): string {
  return code(text).replaceAll("|", "\\|");
}

/** A text as a block of code. */
export function fence(text: string, language = "text"): string {
  const ticks = fenceOf(text, 3);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

/** More backticks than stand side by side in a text. */
function fenceOf(text: string, least: number): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  return "`".repeat(Math.max(least, longest + 1));
}

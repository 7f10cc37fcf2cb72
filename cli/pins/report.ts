import { type Finding, errorsFirst } from "../../finding";
import { codeCell, markdownTable } from "../markdown";

/** What is wrong with the pins, for an issue; empty if nothing is. What could not be asked is no finding of its own. */
export function pinsReport(findings: readonly Finding[]): string {
  if (!findings.some(({ severity }) => severity === "error")) return "";
  const rows = errorsFirst(findings).map(({ severity, what, mend = "" }) => [
    severity === "error" ? "❌" : "⚠️",
    codeCell(what),
    codeCell(mend),
  ]);
  return `What the platform pulls is not what it was:\n\n${markdownTable(["", "what", "what to do"], rows)}\n`;
}

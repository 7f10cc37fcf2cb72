import colors from "picocolors";

import { Names } from "./names";
import type { Plan } from "./plan";
import { isProvider, kindOf } from "./recording";
import { tree } from "./tree";
import { violationsInWords } from "./violations";

/** A plan for people: the tree, the images, what the policy and the program have to say, and the sum of it. */
export function report(plan: Plan, width: number): string {
  const { recording } = plan;
  const names = new Names(recording);
  const parts = [
    tree(recording, width, names),
    section("Images", imageLines(plan)),
    policySection(plan),
    section("Notices", noticeLines(plan, names)),
    summary(plan),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** What the policies find, under its heading. */
export function policySection(plan: Plan): string {
  return section("Policy", findingLines(plan));
}

/** The counts in a line, the most frequent kinds first. */
export function summary({ recording, findings }: Plan): string {
  const parts = recording.resources.filter((resource) => resource.custom && !isProvider(resource));
  const counts = Object.entries(countsByKind(parts)).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const components = recording.resources.filter(({ custom }) => !custom).length;
  const kinds = counts.map(([kind, count]) => `${count} ${kind}`).join(", ");
  const violations = findings.filter(({ severity }) => severity === "error").length;
  return [
    `${colors.bold(`${count(parts.length, "resource")} in ${count(components, "component")}`)}: ${kinds}.`,
    ...(violations > 0 ? [colors.red(`${count(violations, "policy violation")}: an up refuses this.`)] : []),
  ].join("\n");
}

/** How many resources there are of each kind. */
export function countsByKind(resources: Plan["recording"]["resources"]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const resource of resources) counts[kindOf(resource)] = (counts[kindOf(resource)] ?? 0) + 1;
  return counts;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [colors.bold(title), ...lines.map((line) => `  ${line}`)].join("\n");
}

function imageLines({ images }: Plan): string[] {
  return images.map(({ reference, pin, built }) => {
    // The digest pins the image; the tag is what people know it by.
    const shown = reference.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1…");
    const note = built ? "built here" : (pin?.licence ?? "named by the configuration");
    return `${shown}  ${colors.dim(note)}`;
  });
}

function findingLines(plan: Plan): string[] {
  const found = violationsInWords(plan);
  if (found.length === 0) return [colors.green("✓ nothing found")];
  return found.map(
    ({ what, severity }) => `${severity === "error" ? colors.red("✗") : colors.yellow("!")} ${what}`,
  );
}

function noticeLines({ recording }: Plan, names: Names): string[] {
  return recording.notices.map(({ severity, message, urn }) => {
    const about = names.get(urn) === undefined ? "" : ` (${names.short(urn)})`;
    return `${severity === "warning" ? colors.yellow("warning:") : "info:"} ${message}${about}`;
  });
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

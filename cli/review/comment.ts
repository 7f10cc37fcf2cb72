/**
 * A review as a comment in Markdown. What of it comes from the change itself, such as names and values, is code there, so
 * that nothing of it is rendered, linked or mentioned.
 */
import { stripVTControlCharacters } from "node:util";

import { code, codeCell, fence, markdownTable } from "../markdown";
import { updateCommand } from "../plan/golden";
import { type StackReview, isUntouched, isWrong } from "./review";

/** The first line, by which the comment is found again. */
export const reviewMark = "<!-- mlplatform: review -->";

/** GitHub takes 65,536 characters. */
const mostCharacters = 60_000;
/** Of a single stack, so that one does not take the place of the others. */
const mostLines = 200;

/**
 * The comment.
 *
 * @param commit that the change is compared with.
 */
export function comment(reviews: readonly StackReview[], commit: string): string {
  const touched = reviews.filter((review) => !isUntouched(review));
  const title =
    touched.length === 0 ? "This change does nothing to any stack" : "What this change does to each stack";
  const head = [
    reviewMark,
    `## ${title}`,
    markdownTable(["stack", "resources", "models", "policies"], reviews.map(row)),
  ];
  const foot =
    `Compared with ${code(commit.slice(0, 12))}, without a cluster or a secret: by what the stacks declare. What was changed in a ` +
    "cluster by hand shows in its own preview.";
  let room = mostCharacters - [...head, foot].join("\n\n").length;
  const sections = touched.map((review) => {
    const [full, brief] = [section(review, mostLines), section(review, 0)];
    const text = full.length <= room ? full : brief;
    if (text.length > room) return undefined;
    room -= text.length + 2;
    return text;
  });
  const left = sections.filter((text) => text === undefined).length;
  const more = left === 0 ? [] : [`${left} more stacks have no room here: see the log of the run.`];
  return [...head, ...sections.filter((text) => text !== undefined), ...more, foot].join("\n\n") + "\n";
}

function row(review: StackReview): string[] {
  const { stack, fate, promotions, problem, violations, counts } = review;
  const { added, removed, changed } = counts;
  const told = Object.entries({
    added,
    changed,
    removed,
    "with other content": review.renewed.length,
  }).filter(([, number]) => number > 0);
  const resources =
    told.length === 0 ? "no change" : told.map(([what, number]) => `${number} ${what}`).join(", ");
  const errors = violations.filter(({ severity }) => severity === "error").length;
  const warnings = violations.length - errors;
  return [
    `${codeCell(stack)}${fate === "kept" ? "" : ` (${fate})`}`,
    problem === undefined ? resources : "❌ cannot be evaluated",
    promotions.length === 0 ? "no change" : several(promotions.length, "promotion"),
    problem !== undefined || fate === "removed"
      ? ""
      : [
          ...(errors > 0 ? [`❌ ${several(errors, "violation")}`] : []),
          ...(warnings > 0 ? [`⚠️ ${several(warnings, "warning")}`] : []),
          ...(violations.length === 0 ? ["✅"] : []),
        ].join(", "),
  ];
}

/** What there is to say of a stack. @param lines how many of the differences are shown. */
function section(review: StackReview, lines: number): string {
  const { stack, promotions, problem, violations, differences, outdated } = review;
  return [
    `### ${isWrong(review) ? "❌ " : ""}${code(stack)}`,
    ...(problem === undefined ? [] : ["Its configuration is wrong:", fence(problem)]),
    ...(promotions.length === 0
      ? []
      : [
          "**Models**",
          promotions
            .map(
              ({ models, wish, change }) =>
                `- ${models.length === 0 ? code(wish) : `${models.map(code).join(", ")} (${code(wish)})`}: ${code(change)}`,
            )
            .join("\n"),
        ]),
    ...(violations.length === 0
      ? []
      : [
          "**Policies**",
          violations
            .map(
              ({ severity, rule, resource, what }) =>
                `- ${severity === "error" ? "❌" : "⚠️"} ${code(rule)}, ${code(nameOf(resource))}: ${code(what)}`,
            )
            .join("\n"),
        ]),
    ...(review.renewed.length === 0
      ? []
      : ["**Other content**", review.renewed.map((one) => `- ${code(one)}`).join("\n")]),
    ...(differences === "" ? [] : ["**Resources**", differencesOf(stack, differences, lines)]),
    ...(outdated
      ? [
          `⚠️ Its golden file says something else. If this is what it should be: ${code(updateCommand(stack))}`,
        ]
      : []),
  ].join("\n\n");
}

function differencesOf(stack: string, differences: string, most: number): string {
  const lines = stripVTControlCharacters(differences).split("\n").map(asDiff);
  const shown = lines.slice(0, most);
  const left = lines.length - shown.length;
  const more =
    left === 0 ? [] : [`${left} more lines: ${code(`npm run preview -- --stack ${stack} --diff`)}`];
  if (shown.length === 0) return more.join("");
  return [
    "<details open><summary>differences</summary>",
    fence(shown.join("\n"), "diff"),
    ...more,
    "</details>",
  ].join("\n\n");
}

/** A line of a difference as GitHub colours it: by its first character, which is `!` for what has changed. */
function asDiff(line: string): string {
  const [, indent = "", sign = "", rest = ""] = /^( *)([+~-]) (.*)$/.exec(line) ?? [];
  if (sign === "") return ` ${line}`;
  return `${sign === "~" ? "!" : sign} ${indent}${rest}`;
}

/** The name in a URN. */
function nameOf(urn: string): string {
  const [, , type = "", name = urn] = urn.split("::");
  return `${type.split("$").at(-1) ?? ""} ${name}`.trim();
}

function several(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

import { markdownTable } from "../markdown";
import type { Check } from "./check";
import { beforehand, byDoctor, rules, statusCheck } from "./registry";

/** The page of all checks, written from the checks. */
export function checksPage(): string {
  const levels = { mandatory: "stops it", advisory: "is told" } as const;
  return [
    "# Checks",
    "<!-- Written by `npm run docs` from cli/checks/: change it there. -->",
    "What is checked, and when. All that is found is told at once, each with the way out. With `--json` each finding is a " +
      'line: `{"event":"finding","severity":"error","what":…,"mend":…}`; `severity` is `error` for what is wrong or ' +
      "certain to go wrong, and `warning` for what may, or could not be found out.",
    "## Of every resource",
    "At each `npm run preview`, also of a stack that is deployed, in the tests of the stack files, and by `npm run up`, " +
      "`promote` and `rollback` before they change anything in a cluster. `--allow RULE` lets one rule be broken; what " +
      "it would have stopped is then a warning, which says so:",
    markdownTable(
      ["rule", "what must be so", "what a violation does"],
      rules.map(({ name, description, enforcement }) => [`\`${name}\``, description, levels[enforcement]]),
    ),
    "## Before anything changes in a cluster",
    "By `npm run up`, side by side, in at most five seconds. An error ends it, and nothing was changed; a warning is told.",
    markdownTable(["of", "asks"], beforehand.map(row)),
    "## When something is wrong",
    "By `npm run doctor`, which also offers to mend what it can without a loss:",
    markdownTable(["of", "asks"], [...byDoctor, statusCheck].map(row)),
    "",
  ].join("\n\n");
}

function row({ subject, asks }: Pick<Check<never>, "asks" | "subject">): string[] {
  return [subject, asks];
}

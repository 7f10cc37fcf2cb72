import type { Decision } from "../../config/lock";

type Decided = Omit<Decision, "decided">;

/** What a new decision changes, in a line: `version 3 → 4, test_r2 0.61 → 0.64, signature unchanged, xgboost 2.1.4`. */
export function difference(before: Decided | undefined, after: Decided): string {
  if (before === undefined)
    return [`version ${after.version}`, ...scores(after), ...libraries(after)].join(", ");
  return [
    `version ${before.version} → ${after.version}`,
    ...changedScores(before, after),
    `signature ${isSame(before.signature, after.signature) ? "unchanged" : "changed"}`,
    ...(before.form === after.form ? [] : [`${before.form} → ${after.form}`]),
    ...changedLibraries(before, after),
  ].join(", ");
}

/** Whether two decisions are for the same files of the same version, whoever has made them. */
export function isSameVersion(
  one: Pick<Decision, "files" | "version"> | undefined,
  other: Pick<Decision, "files" | "version"> | undefined,
): boolean {
  return one?.version === other?.version && one?.files === other?.files;
}

/** Whether nothing of what was decided is another: the day on which it was decided does not count. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

/** Scores in words, those of tests first; a run may have logged a hundred. */
export function scores({ metrics }: Pick<Decided, "metrics">): string[] {
  return scoreNames(metrics).map((name) => `${name} ${rounded(metrics[name])}`);
}

function changedScores(before: Decided, after: Decided): string[] {
  return scoreNames(after.metrics).map((name) => {
    const was = before.metrics[name];
    const is = rounded(after.metrics[name]);
    return was === undefined || rounded(was) === is ? `${name} ${is}` : `${name} ${rounded(was)} → ${is}`;
  });
}

/** The same scores, by name. */
export function scoresOf({ metrics }: Pick<Decided, "metrics">): Record<string, number> {
  return Object.fromEntries(scoreNames(metrics).map((name) => [name, metrics[name] ?? NaN]));
}

const mostScores = 3;

/** Names of the scores that are worth a look. */
export function scoreNames(metrics: Decided["metrics"]): string[] {
  const names = Object.keys(metrics).sort();
  const ofTests = names.filter((name) => /^(test|val)/.test(name));
  return (ofTests.length > 0 ? ofTests : names).slice(0, mostScores);
}

/** A score in words. */
export function rounded(score: number | undefined): string {
  return score === undefined ? "none" : String(Number(score.toPrecision(4)));
}

/** The library that has written the files, with its version. */
export function libraries({ form, libraries: all }: Pick<Decided, "form" | "libraries">): string[] {
  const library = form.split("-")[0] ?? "";
  return Object.entries(all)
    .filter(([name]) => name.replace("scikit-learn", "sklearn").startsWith(library))
    .map(([name, version]) => `${name} ${version}`);
}

function changedLibraries(before: Decided, after: Decided): string[] {
  return libraries(after).map((line) => {
    const [name = "", version = ""] = line.split(" ");
    const was = before.libraries[name];
    return was === undefined || was === version ? line : `${name} ${was} → ${version}`;
  });
}

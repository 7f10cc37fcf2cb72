/** What speaks for a version, and against it, beside the one in service. */
import type { Decision } from "../../../config/lock";
import type { ModelVersion } from "../../mlflow";
import { table } from "../../table";
import type { Registry } from "../decide";
import { libraries, rounded, scoreNames, scoresOf } from "../difference";
import { dayOf } from "./promotable";
import { type SignatureChange, signatureChange } from "./signature";

type Decided = Omit<Decision, "decided">;

/** The score of which more is better, as trainings of the platform log it, and what the champion then reached. */
const testScore = "test_score";
const championScore = "champion_test_score";
/** The tag of a version that says with which one it was compared on the same rows. */
const comparedWith = "compared_with";

/** A version, for a comparison. */
export interface Compared {
  readonly version: number;
  readonly scores: Readonly<Record<string, number>>;
  readonly libraries: readonly string[];
  readonly form: string;
  readonly registered: string;
}

/** A version beside the one in service. */
export interface Comparison {
  /** What is in service; null if nothing is. */
  readonly from: Compared | null;
  readonly to: Compared;
  readonly signature: SignatureChange;
  /** Scores of both on the same rows; null if nobody has compared them. */
  readonly sameRows: { readonly from: number; readonly to: number } | null;
  /** Whether both were trained on the same data; null where that is not known. */
  readonly sameData: boolean | null;
  /** Whether the new one is worse, as far as that can be told. */
  readonly worse: boolean;
}

/** A version with what the registry has of it. */
export interface Entry {
  readonly decided: Decided;
  readonly version: ModelVersion | undefined;
}

/** Compares a version with the one in service. @throws UserError MLflow does not answer. */
export async function compare({ mlflow }: Registry, from: Entry | undefined, to: Entry): Promise<Comparison> {
  const sameRows = from === undefined ? null : scoresOnSameRows(from, to);
  const dataOf = async (one: Entry | undefined) =>
    one === undefined || one.decided.run === "" ? [] : mlflow.digests(one.decided.run);
  const [before, after] = await Promise.all([dataOf(from), dataOf(to)]);
  const known = before.length > 0 && after.length > 0;
  const own = [from, to].map((one) => one?.decided.metrics[testScore]);
  const [was = NaN, is = NaN] = sameRows === null ? own : [sameRows.from, sameRows.to];
  return {
    from: from === undefined ? null : compared(from.decided),
    to: compared(to.decided),
    signature: signatureChange(from?.decided.signature, to.decided.signature),
    sameRows,
    sameData: known ? before.join() === after.join() : null,
    worse: is < was,
  };
}

function compared(decided: Decided): Compared {
  const { version, form, registered } = decided;
  return { version, scores: scoresOf(decided), libraries: libraries(decided), form, registered };
}

/** The later of two was compared with the earlier one, if that was the champion then. */
function scoresOnSameRows(from: Entry, to: Entry): Comparison["sameRows"] {
  const measured = (newer: Entry, older: Entry) =>
    newer.version?.tags[comparedWith] === String(older.decided.version)
      ? [newer.decided.metrics[testScore], newer.decided.metrics[championScore]]
      : [];
  const [to1, from1] = measured(to, from);
  const [from2, to2] = measured(from, to);
  const [was, is] = [from1 ?? from2, to1 ?? to2];
  return was === undefined || is === undefined ? null : { from: was, to: is };
}

/** The comparison for people. */
export function comparisonText({ from, to, ...more }: Comparison): string {
  const sides = from === null ? [to] : [from, to];
  const head = [
    "",
    ...(from === null ? [] : [`in service: version ${from.version}`]),
    `version ${to.version}`,
  ];
  const names = [...new Set(sides.flatMap(({ scores }) => scoreNames(scores)))];
  const row = (name: string, cell: (side: Compared) => string) => [name, ...sides.map(cell)];
  const rows = [
    ...names.map((name) => row(name, ({ scores }) => rounded(scores[name]))),
    ...(more.sameRows === null
      ? []
      : [[`${testScore}, same rows`, rounded(more.sameRows.from), rounded(more.sameRows.to)]]),
    row("library", (side) => side.libraries.join(", ") || "not known"),
    ...(new Set(sides.map(({ form }) => form)).size > 1 ? [row("format", ({ form }) => form)] : []),
    row("registered", ({ registered }) => dayOf(registered)),
  ];
  return [table(head, rows), ...(from === null ? [] : [...rowsText(more), more.signature.text])].join("\n");
}

function rowsText({ sameRows, sameData }: Pick<Comparison, "sameData" | "sameRows">): string[] {
  if (sameRows !== null) return [];
  const data =
    sameData === null ? "" : sameData ? ", though both runs had the same data" : ", nor on the same data";
  return [`Scores: each is of its own run. They were not measured on the same rows${data}.`];
}

/** Why somebody should hesitate; undefined if nothing speaks for that. */
export function doubt({ from, to, sameRows, worse }: Comparison): string | undefined {
  if (!worse || from === null) return undefined;
  const [was, is] =
    sameRows === null ? [from.scores[testScore], to.scores[testScore]] : [sameRows.from, sameRows.to];
  const where = sameRows === null ? "by its own run, not on the same rows" : "on the same rows";
  return `version ${to.version} is worse than version ${from.version}: ${testScore} ${rounded(is)}, not ${rounded(was)}, ${where}.`;
}

/** What models are asked, and what they answer, whatever protocol they speak. */
import { parsedReply } from "../exchange";

/** Rows for a model, with the names of their columns where the sender knows them. */
export interface Rows {
  readonly names?: readonly string[];
  readonly ndarray: readonly (readonly unknown[])[];
}

/** A custom metric that a model reports with an answer. */
export interface Metric {
  readonly type: "COUNTER" | "GAUGE" | "TIMER";
  readonly key: string;
  readonly value: number;
}

/** An output of a model: a number, the name of a class, a truth, or null for one that is missing. */
export type Output = number | string | boolean | null;

/** A model's answer, in the form of Seldon's own protocol. */
export interface Answer {
  readonly data: {
    readonly names?: readonly string[];
    readonly ndarray: readonly (Output | readonly Output[])[];
  };
  readonly meta?: { readonly tags?: Readonly<Record<string, unknown>>; readonly metrics?: readonly Metric[] };
  /** What whoever has asked should know of it, a sentence of the client's. */
  readonly note?: string;
}

/** How a model is asked, whatever protocol it speaks. */
export interface ModelClient {
  /**
   * Asks for predictions.
   *
   * @throws UserError the model refuses the rows, with its reason, or does not speak its protocol.
   */
  ask(rows: Rows): Promise<Answer>;

  /** The names of what the model takes in a row; none where it does not tell them. */
  readonly takes?: () => Promise<readonly string[]>;

  /** A row to ask it for, which its own server tells; undefined where it tells none. */
  readonly example?: () => Promise<Rows | undefined>;

  /**
   * Asks for what a picture shows; undefined where the protocol takes rows only.
   *
   * @param picture PNG or JPEG, or whatever else the model takes.
   * @throws UserError as {@link ask} does.
   */
  readonly show?: (picture: Buffer) => Promise<Answer>;
}

/** The row that a server tells as an example, in JSON, with the names of its columns if there is one for each. */
export function exampleRow(names: readonly string[], text: unknown): Rows | undefined {
  const row = typeof text === "string" ? parsedReply(text) : undefined;
  if (!Array.isArray(row) || row.length === 0) return undefined;
  return { ...(names.length === row.length ? { names } : {}), ndarray: [row] };
}

/** The outputs of each row. */
export function outputs({ data }: Answer): (readonly Output[])[] {
  return data.ndarray.map((row) => (Array.isArray(row) ? row : [row]) as Output[]);
}

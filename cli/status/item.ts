import { messageOf } from "../errors";

/** `warning`: works, and will not for long, or could not be asked. */
export type Health = "well" | "warning" | "ill";

/** The parts of the platform that `status` tells of, in the order in which it does. */
export const parts = [
  "stack",
  "namespace",
  "release",
  "database",
  "object store",
  "tracking",
  "operator",
  "front end",
  "workload",
  "ingress",
  "certificate",
  "volume",
  "model",
  "predictor",
  "job",
  "schedule",
  "pod",
] as const;

/** One line of `status`. */
export interface Item {
  readonly part: (typeof parts)[number];
  readonly name: string;
  readonly health: Health;
  /** In a word or two: `deployed`, `1/1 ready`. */
  readonly state: string;
  readonly detail: string;
  /** What to do about it. */
  readonly mend?: string;
  /** The same for machines, where the texts have more than one thing in them. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** Has a part that cannot be looked at say so, in place of ending the command. */
export async function orUnknown(
  part: Item["part"],
  items: Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  try {
    return await items;
  } catch (error) {
    const detail = messageOf(error);
    return [{ part, name: "", health: "warning", state: "unknown", detail }];
  }
}

/** The schedule of a CronJob: what Kubernetes takes, and when it begins a Job by it, in UTC. */
import { Cron } from "croner";

import { text } from "../../config/fields";
import { shown } from "../../config/words";

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The fields in their order, with what may stand in them. */
const fields = [
  { name: "minute", least: 0, most: 59, names: [] },
  { name: "hour", least: 0, most: 23, names: [] },
  { name: "day of the month", least: 1, most: 31, names: [] },
  { name: "month", least: 1, most: 12, names: ["", ...months] },
  { name: "day of the week", least: 0, most: 6, names: days },
] as const;

/** In which the times of schedules are. */
export const scheduleZone = "Etc/UTC";

const instead = "five fields are minute, hour, day of the month, month and day of the week";

/** Five fields, as Kubernetes and the library that knows the times read them alike. */
export const schedule = text('a schedule of five fields, such as "0 2 * * *"', (value) => {
  const written = value.split(" ").filter((field) => field !== "");
  if (written.length !== fields.length)
    return `is ${shown(value)}, which has ${written.length} field${written.length === 1 ? "" : "s"}: ${instead}`;
  const wrong = fields.flatMap((field, index) => fieldProblem(written[index] ?? "", field) ?? []);
  if (wrong.length > 0) return `is ${shown(value)}, in which ${wrong.join(", and ")}`;
  return nextRuns(value, 1).length === 0 ? `is ${shown(value)}, a time that never comes` : undefined;
});

/** The next times of a schedule. @param after when to begin. @default now */
export function nextRuns(pattern: string, count: number, after = new Date()): Date[] {
  const plain = pattern
    .split(" ")
    .filter((field) => field !== "")
    .map((field, index) =>
      field
        .toLowerCase()
        .replace(/[a-z]{3}/g, (name) => String(numberOf(name, fields[index]?.names ?? [])))
        // The library takes a field with a step for one that names days; Kubernetes this one for all of them.
        .replace(/^\*\/0*1$/, "*"),
    );
  return new Cron(plain.join(" "), { mode: "5-part", timezone: "UTC" }).nextRuns(count, after);
}

function fieldProblem(written: string, field: (typeof fields)[number]): string | undefined {
  const { name, least, most, names } = field;
  const example = names.at(-1)?.toUpperCase();
  const known = `${least} to ${most}${example === undefined ? "" : `, or names such as ${example}`}`;
  const problem = `"${written}" is no ${name}: write *, */5, or numbers and ranges (${known})`;
  for (const item of written.toLowerCase().split(",")) {
    const parts = /^(?:(\*)|(\d{1,2}|[a-z]{3})(?:-(\d{1,2}|[a-z]{3}))?)(?:\/(\d{1,2}))?$/.exec(item);
    if (parts === null) return problem;
    const [, all, from, to, step] = parts;
    const first = numberOf(from ?? "", names);
    const last = numberOf(to ?? from ?? "", names);
    const isOutside = all === undefined && !(least <= first && first <= last && last <= most);
    // With a step, what it begins with needs an end.
    const isOpen = step !== undefined && all === undefined && to === undefined;
    if (isOutside || isOpen || (step !== undefined && (Number(step) < 1 || Number(step) > most)))
      return problem;
  }
  return undefined;
}

function numberOf(written: string, names: readonly string[]): number {
  const place = written === "" ? -1 : names.indexOf(written);
  return place >= 0 ? place : /^\d+$/.test(written) ? Number(written) : Number.NaN;
}

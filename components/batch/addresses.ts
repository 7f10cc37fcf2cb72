/** What stands in braces in the addresses of tables; `ml-app/batch/naming.py` puts in what is known in the cluster. */

/** The names in braces. */
export function marks(address: string): string[] {
  return [...address.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name);
}

/** An address with the version of the model in it. */
export function versioned(address: string, version: number | undefined): string {
  return address.replaceAll("{version}", String(version ?? "{version}"));
}

/** An address as it is in the run of some time. */
export function dated(address: string, time: Date): string {
  const [date = "", clock = ""] = time.toISOString().split("T");
  return address
    .replaceAll("{date}", date)
    .replaceAll("{time}", `${date}T${clock.slice(0, 5).replace(":", "")}Z`);
}

/** Whether two addresses may be of one file, at whatever times their tables are scored, and by whatever versions. */
export function mayMeet(one: string, other: string): boolean {
  const [begin = "", ...rest] = one.split("{");
  const [otherBegin = "", ...otherRest] = other.split("{");
  // Most differ in what comes first.
  const isApart =
    (rest.length === 0 || !otherBegin.startsWith(begin)) &&
    (otherRest.length === 0 || !begin.startsWith(otherBegin));
  return (
    one === other ||
    (!isApart && (patternOf(one).test(example(other)) || patternOf(other).test(example(one))))
  );
}

/** What stands in the place of each mark, and an example of it. */
const places: Readonly<Record<string, { readonly pattern: string; readonly example: string }>> = {
  version: { pattern: "\\d+", example: "1" },
  date: { pattern: "\\d{4}-\\d\\d-\\d\\d", example: "2026-01-31" },
  time: { pattern: "\\d{4}-\\d\\d-\\d\\dT\\d{4}Z", example: "2026-01-31T0200Z" },
};

function example(address: string): string {
  return address.replace(/\{([^{}]*)\}/g, (mark, name: string) => places[name]?.example ?? mark);
}

function patternOf(address: string): RegExp {
  const parts = address.split(/\{([^{}]*)\}/);
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const pattern = parts.map((part, index) =>
    index % 2 === 0 ? escaped(part) : (places[part]?.pattern ?? escaped(`{${part}}`)),
  );
  return new RegExp(`^${pattern.join("")}$`);
}

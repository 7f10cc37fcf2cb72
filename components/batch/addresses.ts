/** What stands in braces in the addresses of tables; `ml-app/batch/naming.py` puts in what is known in the cluster. */

const mark = /\{([^{}]*)\}/g;

/** The names in braces. */
export function marks(address: string): string[] {
  return [...address.matchAll(mark)].map(([, name = ""]) => name);
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
  const [begin = "", otherBegin = ""] = [one.split("{")[0], other.split("{")[0]];
  // Most differ in what comes first.
  if (!begin.startsWith(otherBegin) && !otherBegin.startsWith(begin)) return false;
  const [left, right] = [signsOf(one), signsOf(other)];
  const seen = new Set<string>();
  const meet = (at: number, otherAt: number): boolean => {
    const [sign, otherSign] = [left[at], right[otherAt]];
    if (sign === undefined || otherSign === undefined) return sign === otherSign;
    const place = `${at} ${otherAt}`;
    if (seen.has(place) || !areAlike(sign.is, otherSign.is)) return false;
    seen.add(place);
    return (
      meet(at + 1, otherAt + 1) ||
      (sign.again && meet(at, otherAt + 1)) ||
      (otherSign.again && meet(at + 1, otherAt))
    );
  };
  return meet(0, 0);
}

/** A character of an address, or any digit; and whether more of them may follow. */
interface Sign {
  readonly is: string;
  readonly again: boolean;
}

const digit = "{digit}";
/** What stands in the place of each mark: 0 for any digit. */
const places: Readonly<Record<string, string>> = {
  version: "0",
  ...Object.fromEntries(
    ["date", "time"].map((name) => [name, dated(`{${name}}`, new Date(0)).replace(/\d/g, "0")]),
  ),
};

function signsOf(address: string): Sign[] {
  return address.split(mark).flatMap((part, index) => {
    const text = index % 2 === 0 ? part : (places[part] ?? `{${part}}`);
    const isMark = index % 2 === 1 && part in places;
    return Array.from(text, (one) => ({
      is: isMark && one === "0" ? digit : one,
      again: part === "version" && isMark,
    }));
  });
}

function areAlike(one: string, other: string): boolean {
  return one === other || (one === digit && /^\d$/.test(other)) || (other === digit && /^\d$/.test(one));
}

import { closest, distance } from "fastest-levenshtein";

/** The known word that was probably meant, if one is near enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word === "") return undefined;
  const given = word.toLowerCase();
  const found = closest(
    given,
    known.map((one) => one.toLowerCase()),
  );
  const related = known.filter((one) => extended(given, one.toLowerCase()));
  const near = distance(given, found) <= (word.length < 4 ? 0 : Math.max(2, word.length / 3));
  if (near) return known.find((one) => one.toLowerCase() === found);
  return related.length === 1 ? related[0] : undefined;
}

/** Whether one of two words goes on from the other: `prod` and `production`. */
function extended(one: string, other: string): boolean {
  return Math.min(one.length, other.length) > 2 && (one.startsWith(other) || other.startsWith(one));
}

/** What to say of a word that is not known: which one was probably meant, or which there are. */
export function knownInstead(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  if (meant !== undefined) return `did you mean ${meant}?`;
  return known.length === 0 ? "it has none" : `it has ${listed(known)}`;
}

/** Words as a sentence lists them: `a, b or c`. */
export function either(words: readonly string[]): string {
  return joined(words, "or");
}

/** Words as a sentence lists them: `a, b and c`. */
export function listed(words: readonly string[]): string {
  return joined(words, "and");
}

function joined(words: readonly string[], last: string): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} ${last} ${String(words.at(-1))}`;
}

/** A value as the user wrote it, cut where it is long; groups and lists by what they are. No password in an address. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a group of keys";
  const text = JSON.stringify(value)
    .replaceAll(/:\/\/[^\s/@]*@/g, "://…@")
    .replace(/^"[^\s:/@]+:[^\s/@]+@(?!sha256:)/, '"…@');
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

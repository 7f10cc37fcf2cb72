import type { State } from "./protocol";

/** The text of a secret in a state that shows them, however it is wrapped. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const { plaintext } = (value ?? {}) as { plaintext?: unknown };
  if (typeof plaintext !== "string") return undefined;
  return textOf(JSON.parse(plaintext));
}

/** Every generated password in a state that shows secrets. @throws Error there is none, or one cannot be read. */
export function passwords(state: State): string[] {
  const generated = (state.resources ?? []).filter(
    ({ type }) => type === "random:index/randomPassword:RandomPassword",
  );
  const found = generated.map(({ urn, outputs }) => {
    const text = textOf(outputs?.["result"]);
    if (text === undefined || text.length < 16) throw new Error(`no password in ${urn}`);
    return text;
  });
  if (found.length === 0) throw new Error("the state has no generated password");
  return found;
}

/** The forms in which a text can be found again: as it is, and in base64, wherever in a longer text it stands. */
export function disguises(text: string): string[] {
  const bytes = Buffer.from(text);
  const shifted = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift, "x"), bytes]).toString("base64");
    // What depends on the bytes before and after is left out.
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  });
  return [text, ...shifted, bytes.toString("hex")];
}

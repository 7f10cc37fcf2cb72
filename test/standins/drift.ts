import { type Value, type Values, asText, asValues, isValues } from "./values";

/**
 * A live object as whoever wrote it would write it today: what was written, with the values that it has now. What the
 * API server and controllers have added is theirs, and left out; the real provider knows it by the field manager.
 *
 * @param written what the program wrote; nothing for an import, which takes over all that is no status.
 */
export function asWritten(live: Values, written: Values): Values {
  if (Object.keys(written).length === 0) return imported(live);
  return asValues(restrict(withTexts(live, written), written));
}

function restrict(live: Value | undefined, written: Value): Value | undefined {
  if (isValues(live) && isValues(written)) {
    const entries = Object.entries(written).flatMap(([key, value]) => {
      if (value === undefined) return [];
      const now = restrict(live[key], value);
      return now === undefined ? [] : [[key, now] as const];
    });
    return Object.fromEntries(entries);
  }
  // A list with other entries than were written has been changed by somebody: it is shown as it is.
  if (Array.isArray(live) && Array.isArray(written) && live.length === written.length)
    return (live as readonly Value[]).map((each, index) => restrict(each, written[index] as Value) ?? each);
  // What is empty, in Go's sense, is left out by the API server.
  return live === undefined && isEmpty(written) ? written : live;
}

function isEmpty(value: Value): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return !value;
}

/** The API server keeps a Secret's texts in base64 only. */
function withTexts(live: Values, written: Values): Values {
  const texts = asValues(written["stringData"]);
  if (Object.keys(texts).length === 0 || live["stringData"] !== undefined) return live;
  const data = Object.entries(asValues(live["data"])).filter(([key]) => key in texts);
  const decoded = data.map(([key, text]) => [key, Buffer.from(asText(text), "base64").toString()]);
  return { ...live, stringData: Object.fromEntries(decoded) as Values };
}

const serverFields = new Set(["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"]);

function imported(live: Values): Values {
  const metadata = Object.entries(asValues(live["metadata"])).filter(([key]) => !serverFields.has(key));
  const rest = Object.entries(live).filter(([key]) => key !== "status");
  return { ...Object.fromEntries(rest), metadata: Object.fromEntries(metadata) };
}

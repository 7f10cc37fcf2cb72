import { quantity } from "../../config/quantity";
import { markers } from "../plan/recording";

type Values = Readonly<Record<string, unknown>>;

/** What has another meaning in the cluster than in the program, or none: what is not said there, others may say. */
const notCompared = ["apiVersion", "kind", "metadata", "status"];
/** Where what is added opens something, so that nothing may be. */
const closed = ["NetworkPolicy"];

/**
 * Where an object of the cluster is not what the program declares: the first place, such as `spec.replicas`; undefined if
 * it is as declared. The API server has filled in what the program leaves out, and that is not compared. Neither is what only a
 * deployment knows, nor what is secret.
 *
 * @param isOther whether a text may be another one: an image that each machine names otherwise.
 */
export function changedPlace(
  meant: Values,
  live: Values,
  isOther: (text: string) => boolean = () => false,
): string | undefined {
  const kind = String(meant["kind"]);
  // Of these the cluster has the values in another form, and the program secrets alone.
  if (kind === "Secret") return undefined;
  const labels = differs(labelsOf(meant), labelsOf(live), "metadata.labels", isOther);
  if (labels !== undefined) return labels;
  for (const [key, value] of Object.entries(meant)) {
    if (notCompared.includes(key)) continue;
    const place = differs(value, live[key], key, isOther);
    if (place !== undefined) return place;
  }
  if (!closed.includes(kind)) return undefined;
  const [spec, has] = [asValues(meant["spec"]), asValues(live["spec"])];
  const added = Object.keys(has).find((key) => spec[key] === undefined && !isEmpty(has[key]));
  return added === undefined ? undefined : `spec.${added}`;
}

function differs(
  meant: unknown,
  live: unknown,
  at: string,
  isOther: (text: string) => boolean,
): string | undefined {
  if (isMarker(meant) || (isEmpty(meant) && isEmpty(live))) return undefined;
  if (Array.isArray(meant)) {
    if (!Array.isArray(live) || live.length !== meant.length) return at;
    return firstOf(meant, (value, index) => differs(value, live[index], `${at}[${index}]`, isOther));
  }
  if (typeof meant === "object" && meant !== null) {
    if (typeof live !== "object" || live === null || isEmpty(meant)) return at;
    return firstOf(Object.entries(meant), ([key, value]) =>
      differs(value, (live as Values)[key], `${at}.${key}`, isOther),
    );
  }
  if (meant === live || (typeof meant === "string" && isOther(meant))) return undefined;
  const amount = amountOf(meant);
  return amount !== undefined && amount === amountOf(live) ? undefined : at;
}

function amountOf(value: unknown): number | undefined {
  return typeof value === "string" || typeof value === "number" ? quantity(String(value)) : undefined;
}

function firstOf<T>(list: readonly T[], place: (one: T, index: number) => string | undefined) {
  for (const [index, one] of list.entries()) {
    const found = place(one, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The API server leaves out what is empty, and a program may say that there is none of it. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return typeof value === "object" && Object.values(value).every((one) => one === undefined);
}

function isMarker(value: unknown): boolean {
  return typeof value === "string" && Object.values(markers).some((marker) => value === marker);
}

function labelsOf({ metadata }: Values): unknown {
  return asValues(metadata)["labels"];
}

function asValues(value: unknown): Values {
  return (value ?? {}) as Values;
}

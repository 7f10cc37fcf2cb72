import { quantity } from "../../config/quantity";
import { markers } from "../plan/recording";

type Values = Readonly<Record<string, unknown>>;

/** What has another meaning in the cluster than in the program, or none: what is not said there, others may say. */
const notCompared = ["apiVersion", "kind", "metadata", "status"];
/** Where what is added opens something, so that nothing may be. */
const closed = ["NetworkPolicy"];
/** Below which a text is an amount, so that `1000m` is `1`; elsewhere it is but a text. */
const amounts = ["resources", "capacity", "sizeLimit"];

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
  const manner = { isOther, closed: closed.includes(kind), amounts: false };
  const labels = differs(labelsOf(meant), labelsOf(live), "metadata.labels", { ...manner, closed: false });
  if (labels !== undefined) return labels;
  for (const [key, value] of Object.entries(meant)) {
    if (notCompared.includes(key)) continue;
    const place = differs(value, live[key], key, manner);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** How values are compared. */
interface Manner {
  readonly isOther: (text: string) => boolean;
  /** Whether what is added is a difference too. */
  readonly closed: boolean;
  /** Whether they are amounts, which can be written in several ways. */
  readonly amounts: boolean;
}

function differs(meant: unknown, live: unknown, at: string, manner: Manner): string | undefined {
  // Of a selector that is there and empty, and one that is not there, one may take all and the other none.
  const isNone = manner.closed ? isLeftOut : isEmpty;
  if (isMarker(meant) || (isNone(meant) && isNone(live))) return undefined;
  if (Array.isArray(meant)) {
    if (!Array.isArray(live) || live.length !== meant.length) return at;
    return firstOf(meant, (value, index) => differs(value, live[index], `${at}[${index}]`, manner));
  }
  if (typeof meant === "object" && meant !== null) {
    if (typeof live !== "object" || live === null || (isEmpty(meant) && !isEmpty(live))) return at;
    const [own, others] = [meant as Values, live as Values];
    const place = firstOf(Object.entries(own), ([key, value]) =>
      differs(value, others[key], `${at}.${key}`, within(manner, at, key)),
    );
    if (place !== undefined || !manner.closed) return place;
    const added = Object.entries(others).find(
      ([key, value]) => own[key] === undefined && !isLeftOut(value) && !isFilledIn(`${at}.${key}`, value),
    );
    return added && `${at}.${added[0]}`;
  }
  if (meant === live || (typeof meant === "string" && manner.isOther(meant))) return undefined;
  const amount = manner.amounts ? amountOf(meant) : undefined;
  return amount !== undefined && amount === amountOf(live) ? undefined : at;
}

/** The same for a field; an object without a `spec`, such as a ConfigMap, has no amounts, whatever its keys are. */
function within(manner: Manner, at: string, key: string): Manner {
  return /^spec\b/.test(at) && amounts.includes(key) ? { ...manner, amounts: true } : manner;
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

/** Whether the API server leaves it out of a closed object. */
function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Whether it is what the API server says in a closed object where nothing else was said. */
function isFilledIn(place: string, value: unknown): boolean {
  return value === "TCP" && /\.ports\[\d+\]\.protocol$/.test(place);
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

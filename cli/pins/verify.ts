/** Whether what is pinned is still published, is what it was, and under the licence that was read. */
import { parse } from "yaml";

import { type Finding, error, warning } from "../../finding";
import type { ChartPin, ImagePin } from "../../pins";
import { causeOf, messageOf } from "../errors";
import { type Ask, published } from "./registry";

const where = "pins.ts";
/** Registries refuse whoever asks for much at once. */
const together = 4;

/**
 * Asks for every pin where it is published.
 *
 * @returns what is gone, was moved, or has another licence; and what could not be asked, as a warning.
 */
export async function verifyPins(
  { images, charts }: { readonly images: readonly ImagePin[]; readonly charts: readonly ChartPin[] },
  ask: Ask,
): Promise<Finding[]> {
  const indexes = new Map<string, Promise<Index>>();
  const indexOf = (repository: string) => {
    const known = indexes.get(repository) ?? readIndex(repository, ask);
    indexes.set(repository, known);
    return known;
  };
  const looks = [
    ...images.map((pin) => looking(`image ${pin.repository}:${pin.tag}`, () => lookAtImage(pin, ask))),
    ...charts.map((pin) =>
      looking(`chart ${pin.name} ${pin.version}`, () =>
        pin.repository.startsWith("oci://") ? lookAtStored(pin, ask) : lookAtIndexed(pin, indexOf),
      ),
    ),
  ];
  const rest = looks.entries();
  const found: Finding[][] = looks.map(() => []);
  const work = async () => {
    for (const [at, look] of rest) found[at] = await look();
  };
  await Promise.all(Array.from({ length: together }, work));
  return found.flat();
}

/** What is seen of a pin: what is wrong with it, in words. */
type Look = () => Promise<readonly string[]>;

function looking(what: string, look: Look): () => Promise<Finding[]> {
  return async () => {
    try {
      return (await look()).map((wrong) => error(`${what} ${wrong}`, `Choose another version in ${where}`));
    } catch (cause) {
      return [warning(`${what} could not be looked at: ${messageOf(causeOf(cause))}`, "Run it again later")];
    }
  };
}

async function lookAtImage({ repository, tag, digest, licence }: ImagePin, ask: Ask): Promise<string[]> {
  const now = await published(repository, tag, ask);
  if (now === undefined) return ["is not published any more"];
  const moved = digest !== undefined && now.digest !== undefined && now.digest !== digest;
  if (moved && (await published(repository, digest, ask)) === undefined)
    return [`is another image now, and the pinned one is gone: ${digest}`];
  return otherLicence(licence, now.licence);
}

async function lookAtStored({ name, repository, version, licence }: ChartPin, ask: Ask): Promise<string[]> {
  const now = await published(`${repository.replace("oci://", "")}/${name}`, version, ask);
  return now === undefined ? ["is not published any more"] : otherLicence(licence, now.licence);
}

/** https://helm.sh/docs/topics/chart_repository/#the-index-file */
interface Index {
  readonly entries?: Readonly<
    Record<
      string,
      readonly { readonly version: string; readonly annotations?: Readonly<Record<string, string>> }[]
    >
  >;
}

async function readIndex(repository: string, ask: Ask): Promise<Index> {
  const response = await ask(`${repository}/index.yaml`);
  if (!response.ok) throw new Error(`its repository answers ${response.status}`);
  // Years of releases share their texts by references.
  return parse(await response.text(), { maxAliasCount: -1 }) as Index;
}

async function lookAtIndexed(
  { name, repository, version, licence }: ChartPin,
  indexOf: (repository: string) => Promise<Index>,
): Promise<string[]> {
  const { entries = {} } = await indexOf(repository);
  const now = entries[name]?.find((one) => one.version === version);
  if (now === undefined) return ["is not published any more"];
  return otherLicence(licence, now.annotations?.["artifacthub.io/license"]);
}

/** Some say nothing of it, and several in a list. */
function otherLicence(pinned: string, told: string | undefined): string[] {
  const all = (told ?? "").split(/\s+(?:AND|OR)\s+|,\s*/).filter((one) => one !== "");
  if (all.length === 0 || all.some((one) => one.toLowerCase() === pinned.toLowerCase())) return [];
  return [`is under ${all.join(", ")} by what it says of itself, and ${where} says ${pinned}`];
}

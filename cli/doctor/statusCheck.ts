import { namespaceNames } from "../../components/capabilities";
import { inWords } from "../cluster/kinds";
import type { Item } from "../status/item";
import type { Check, Problem } from "./problem";

/** What `npm run status` marks: the two commands say one thing. */
export const statusCheck: Check = {
  title: "all that is declared",
  examine: async ({ status }) => {
    const items = (await status()).filter(({ health }) => health === "ill");
    return items.map((item) => ({
      title: titleOf(item),
      found: item.detail === "" ? item.state : item.detail,
      means: "it does not do its work, or not all of it",
      mend: mendOf(item.mend),
      about: aboutOf(item),
    }));
  },
};

/** What works, and may not for long, or could not be asked: no problem, and not to be kept back either. */
export function warnings(items: readonly Item[], others: readonly Problem[]): string[] {
  const told = objectsOf(others);
  return items
    .filter((item) => item.health === "warning" && !aboutOf(item).some((object) => told.has(object)))
    .map((item) => [titleOf(item), item.detail].filter((text) => text !== "").join("; "));
}

/** Those of some problems whose object no other problem speaks of. */
export function unexplained(problems: readonly Problem[], others: readonly Problem[]): Problem[] {
  const told = objectsOf(others);
  return problems.filter(({ about = [] }) => !about.some((object) => told.has(object)));
}

function objectsOf(problems: readonly Problem[]): ReadonlySet<string> {
  return new Set(problems.flatMap(({ about = [] }) => about));
}

function titleOf({ part, name, state }: Item): string {
  return `${[part, name].filter((text) => text !== "").join(" ")}: ${state}`;
}

/** The kinds of the items that are named `namespace/name`. */
const kinds: Readonly<Partial<Record<Item["part"], string>>> = {
  release: "Release",
  ingress: "Ingress",
  volume: "PersistentVolumeClaim",
  job: "Job",
  pod: "Pod",
};

/** Where the parts are that a release runs. */
const homes: Readonly<Partial<Record<Item["part"], string>>> = {
  database: namespaceNames.database,
  "object store": namespaceNames.objectStore,
  tracking: namespaceNames.tracking,
  operator: namespaceNames.servingOperator,
};

/** The objects of which an item speaks; what is missing is explained by nothing else. */
function aboutOf({ part, name, state, facts = {} }: Item): string[] {
  if (state === "missing") return [];
  const [kind, home] = [kinds[part], homes[part]];
  const [namespace = "", own = ""] = name.split("/");
  const fact = (key: string) => String(facts[key]);
  if (kind !== undefined) return [inWords(kind, namespace, own)];
  if (home !== undefined) return [inWords("Release", home, fact("release"))];
  if (part === "workload") return [name];
  if (part === "namespace") return [inWords("Namespace", "", name)];
  if (part === "certificate") return [inWords("Secret", namespaceNames.servingOperator, name)];
  if (part === "model") return [inWords("SeldonDeployment", namespaceNames.models, name)];
  if (part === "predictor") return [inWords("SeldonDeployment", namespaceNames.models, fact("model"))];
  return [];
}

function mendOf(mend: string | undefined): Problem["mend"] {
  // The line of a status may send people here.
  if (mend === undefined || mend === "npm run doctor")
    return { description: "see what is wrong with it", command: "npm run logs" };
  return /^(npm|kubectl) /.test(mend)
    ? { description: "bring it back", command: mend }
    : { description: mend };
}

import { namespaceNames } from "../../components/capabilities";
import type { Finding } from "../../finding";
import type { Check } from "../checks/check";
import { inWords } from "../cluster/kinds";
import { backend } from "../serving/backend";
import type { Item } from "../status/item";
import type { Patient } from "./patient";

export const statusCheck: Check<Patient> = {
  subject: "all that is declared",
  asks: "whether all that is declared is there and works, as `npm run status` marks it",
  find: async ({ status }) =>
    (await status()).flatMap((item): Finding[] => {
      const { health, state, detail, mend } = item;
      const common = { what: titleOf(item), about: aboutOf(item) };
      if (health === "well") return [];
      if (health === "warning") return [{ ...common, severity: "warning", detail }];
      return [
        {
          ...common,
          severity: "error",
          detail: detail === "" ? state : detail,
          means: "it does not do its work, or not all of it",
          mend: mendOf(mend),
        },
      ];
    }),
};

/** Those of some findings of whose object no other speaks; what is wrong speaks for what may become so. */
export function unexplained(findings: readonly Finding[], others: readonly Finding[]): Finding[] {
  const errors = untold(findings, others).filter(({ severity }) => severity === "error");
  const warnings = findings.filter(({ severity }) => severity === "warning");
  return [...errors, ...untold(warnings, [...others, ...errors])];
}

function untold(findings: readonly Finding[], others: readonly Finding[]): Finding[] {
  const told = new Set(others.flatMap(({ about = [] }) => about));
  return findings.filter(({ about = [] }) => !about.some((object) => told.has(object)));
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
  if (part === "model" || part === "predictor")
    return [inWords(backend.kind, namespaceNames.models, fact("resource"))];
  return [];
}

function mendOf(mend: string | undefined): string {
  // The line of a status may send people here.
  if (mend === undefined || mend === "npm run doctor") return "see what is wrong with it: npm run logs";
  return /^(npm|kubectl) /.test(mend) ? `bring it back: ${mend}` : mend;
}

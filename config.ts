import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { withCanary } from "./config/canary";
import { checkCharts } from "./config/charts";
import { parsedJson } from "./config/json";
import { checkConfig, type Understood } from "./config/checks";
import { type Served, assumed, checkDecisions } from "./config/decisionChecks";
import { environments, type Environment } from "./config/fields";
import { type Decisions, lockFile, readLock } from "./config/lock";
import { mostModels } from "./config/limits";
import type { ModelConfig } from "./config/models";
import { namespace, type Mistake, placeOf, mistakesOf, unheard } from "./config/mistakes";
import { foreignSecrets, needlesslyEncrypted, plainSecrets, strayedSecrets } from "./config/plainSecrets";
import { checkScoring } from "./config/scoring";
import { configSchema, type Schema, type StackConfig } from "./config/schema";
import { bucketsOf } from "./config/modelChecks";
import { withOwnServer, withServer } from "./config/serverChoice";
import { nearest } from "./config/words";
import type { Mirror } from "./pins";

/** The stack configuration, with the mirror in its two parts, and what was decided of the names in the registry. */
export type PlatformConfig = Omit<StackConfig, "mirror"> & {
  readonly mirror: Mirror;
  readonly decisions: Readonly<Record<string, Served>>;
};

/**
 * What to do about the names in the registry: take what the lock says (`read`); assume something where it says nothing,
 * to see what would be (`assume`), or everywhere, so that it is the same whatever was decided (`assume all`); or do not
 * look, as what does not fit there must not keep anybody from deciding anew (`ignore`).
 */
export type LockUse = "assume" | "assume all" | "ignore" | "read";

type Written = Readonly<Record<string, unknown>>;

/**
 * Reads the stack's configuration, once, before anything is registered.
 *
 * @throws pulumi.RunError the configuration is wrong: lists everything that is, with the file and the place.
 */
export function loadConfig(lock: LockUse = "read"): PlatformConfig {
  const written = writtenConfig();
  const environment = environmentOf(written["environment"]);
  const schema = configSchema(environment ?? "dev");
  // Each that is wrong would be told by itself, and a hundred thousand of them do not fit into the memory.
  const { models: list } = written;
  if (Array.isArray(list) && list.length > mostModels)
    throw new pulumi.RunError(
      report([
        {
          path: ["models"],
          message: `has ${list.length} entries, and the most is ${mostModels}: give others a stack of their own`,
        },
      ]),
    );
  const values = environment === undefined ? written : { ...written, environment };
  const parsed = schema.safeParse(values, { reportInput: true });
  const read: Understood = parsed.success ? parsed.data : understand(schema, values);
  const mirror = mirrorOf(read.mirror);
  const decisions = environment === undefined ? {} : decided(environment, lock);
  const isAssumed = lock === "assume" || lock === "assume all";
  const served = (model: ModelConfig) =>
    withServer(
      withCanary(withOwnServer(model), decisions),
      decisions,
      isAssumed ? "MLFLOW_SERVER" : undefined,
    );
  const understood = { ...read, models: read.models?.map((model) => model && served(model)) };
  const encrypted = needlesslyEncrypted(schema, written, isSecret);
  const inPlain = plainSecrets(schema, written, isSecret);
  const wrong = parsed.success ? [] : mistakesOf(schema, parsed.error.issues);
  const mistakes = [
    ...without([...encrypted, ...inPlain], wrong),
    ...encrypted,
    ...inPlain,
    ...without(wrong, unheard(written)),
    ...without(wrong, strayedSecrets(schema, written, isSecret)),
    ...misspeltNamespaces(),
    ...foreignSecrets(foreignConfig(), isSecret),
    ...checkConfig(understood, written, decisions),
    ...checkDecisions(understood, decisions),
    ...checkScoring(understood, decisions),
    ...checkCharts(understood, mirror),
  ];
  for (const key of unread()) void pulumi.log.warn(`${key} is read by nobody: keys begin with ${namespace}:`);
  if (parsed.success && mistakes.length === 0) {
    const models = parsed.data.models.map(served);
    return {
      ...{ ...parsed.data, models, mirror },
      decisions: isAssumed ? assumed(models, bucketsOf(parsed.data.objectStore), decisions) : decisions,
    };
  }
  throw new pulumi.RunError(report(mistakes));
}

/** What the stack's lock says. @throws pulumi.RunError it cannot be read. */
function decided(environment: Environment, use: LockUse): Decisions {
  if (use === "ignore" || use === "assume all") return {};
  const file = lockFile(pulumi.getStack(), environment);
  const { decisions, problems } = readLock(file);
  if (problems.length === 0) return decisions;
  const lines = problems.map((problem) => `  ${problem}`).join("\n");
  throw new pulumi.RunError(
    `${path.basename(file)} cannot be read:\n${lines}\n` +
      "Take the file from git again, or remove it and decide anew: npm run models -- update",
  );
}

/** Those of mistakes at whose places there are no others. */
function without(others: readonly Mistake[], mistakes: readonly Mistake[]): Mistake[] {
  const places = new Set(others.map(({ path }) => placeOf(path)));
  return mistakes.filter(({ path }) => !places.has(placeOf(path)));
}

/** What other namespaces hold; that of Pulumi's own is the engine's. */
function foreignConfig(): Record<string, string> {
  const all = Object.entries(pulumi.runtime.allConfig());
  return Object.fromEntries(all.filter(([key]) => !/^(mlplatform|pulumi):/.test(key)));
}

function foreignKeys(): string[] {
  return Object.keys(foreignConfig());
}

/** The namespace of our own that a key was meant for. */
function meant(key: string): string | undefined {
  return nearest(key.split(":", 1)[0] ?? "", [namespace, "pulumi"]);
}

/** A key that is one letter off would be left out without a word. */
function misspeltNamespaces(): Mistake[] {
  return foreignKeys().flatMap((key) => {
    const right = meant(key);
    if (right === undefined) return [];
    return [{ path: [key], message: `is not known; did you mean ${right}${key.slice(key.indexOf(":"))}?` }];
  });
}

/** Keys for other programs, such as those of a provider that this one sets up itself. */
function unread(): string[] {
  return foreignKeys().filter((key) => meant(key) === undefined);
}

/** The configuration as it was written: keys without the namespace, JSON as what it stands for. */
function writtenConfig(): Written {
  const entries = Object.entries(pulumi.runtime.allConfig()).flatMap(([key, text]) => {
    const [prefix, name = ""] = key.split(":");
    return prefix === namespace ? [[name, parsedJson(text)] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** The environment that is named, or whose name the stack has. */
function environmentOf(named: unknown): Environment | undefined {
  const name = named ?? pulumi.getStack();
  return environments.find((one) => one === name);
}

/** The sections and models that are right by themselves, where others are not. */
function understand(schema: Schema, written: Written): Understood {
  const { batch, models, ...sections } = schema.shape;
  const entries = Object.entries(sections).flatMap(([key, section]) => {
    const { success, data } = section.safeParse(written[key]);
    return success ? [[key, data] as const] : [];
  });
  // Of these each entry by itself: the others can still be looked at.
  const entriesOf = <T>(key: string, entry: { safeParse(value: unknown): { data?: T } }) => {
    const list = written[key] ?? [];
    return Array.isArray(list) ? list.map((one) => entry.safeParse(one).data) : undefined;
  };
  return {
    ...(Object.fromEntries(entries) as Omit<Understood, "batch" | "models">),
    batch: entriesOf("batch", batch.unwrap().element),
    models: entriesOf("models", models.unwrap().element),
  };
}

/**
 * Whether the program was given a key as a secret, or by our own commands a place below it. The engine tells the key
 * alone; what reads the stack's file knows each place. The SDK exports this without
 * declaring it (pulumi/pulumi#7127).
 */
function isSecret(key: string): boolean {
  return (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(key);
}

function mirrorOf(mirror: StackConfig["mirror"]): Mirror {
  return typeof mirror === "string" ? { images: mirror, charts: `oci://${mirror}/charts` } : { ...mirror };
}

const inOrder = new Intl.Collator("en", { numeric: true });

/** More than anybody mends before the next try. */
const mostLines = 100;

function report(mistakes: readonly Mistake[]): string {
  const sentences = mistakes.map(({ path, message }) => `  ${placeOf(path)} ${message}`);
  const all = [...new Set(sentences)].sort(inOrder.compare).map((line) => line.replace(/[^?]$/, "$&."));
  const count = all.length === 1 ? "1 problem" : `${all.length} problems`;
  const more = all.length - mostLines;
  const lines = more > 1 ? [...all.slice(0, mostLines), `  and ${more} more.`] : all;
  return `Pulumi.${pulumi.getStack()}.yaml has ${count}; nothing was changed:\n${lines.join("\n")}`;
}

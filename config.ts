import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { parse as parseYaml } from "yaml";

import { checkConfig, placeOf } from "./config/checks";
import { environments, type Environment } from "./config/fields";
import { type Problem, problemsOf, secretPlaces } from "./config/problems";
import { configSchema, type StackConfig } from "./config/schema";
import { charts, type ChartPin, chartSource, type Mirror, seldonChart } from "./pins";

const namespace = "mlplatform";

/** The stack configuration, with the mirror in its two parts. */
export type PlatformConfig = Omit<StackConfig, "mirror"> & { readonly mirror: Mirror };

/**
 * Reads the stack's configuration, once, before anything is registered.
 *
 * @throws pulumi.RunError the configuration is wrong: lists everything that is, with the file and the place.
 */
export function loadConfig(): PlatformConfig {
  const written = writtenConfig();
  const environment = environmentOf(written["environment"]);
  const problems: Problem[] = [];
  const schema = configSchema(environment ?? "dev");
  const parsed = schema.safeParse({ environment, ...written }, { reportInput: true });
  if (!parsed.success) problems.push(...problemsOf(schema, parsed.error.issues));
  problems.push(...plainSecrets(schema, written));
  if (parsed.success) problems.push(...checkConfig(parsed.data, written));
  const mirror = mirrorOf(parsed.data?.mirror);
  if (parsed.success) problems.push(...checkCharts(parsed.data, mirror));
  if (parsed.success && problems.length === 0) return { ...parsed.data, mirror };
  throw new pulumi.RunError(report(problems));
}

/** The configuration as it was written: keys without the namespace, JSON as what it stands for. */
function writtenConfig(): Record<string, unknown> {
  const entries = Object.entries(pulumi.runtime.allConfig()).flatMap(([key, text]) => {
    const [prefix, name = ""] = key.split(":");
    return prefix === namespace
      ? [[name, /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : text] as const]
      : [];
  });
  return Object.fromEntries(entries);
}

/** The environment that is named, or whose name the stack has. */
function environmentOf(named: unknown): Environment | undefined {
  const name = named ?? pulumi.getStack();
  return environments.find((one) => one === name);
}

/** A secret in plain text would be in the repository, and in the state. */
function plainSecrets(schema: ReturnType<typeof configSchema>, written: Record<string, unknown>): Problem[] {
  return secretPlaces(schema, written)
    .filter(([key]) => !isSecret(`${namespace}:${String(key)}`))
    .map((place) => ({
      path: place,
      message: `is a secret in plain text: pulumi config set --secret --path '${placeOf(place)}'`,
    }));
}

/** Whether the engine was given a key as a secret. The SDK exports this without declaring it (pulumi/pulumi#7127). */
function isSecret(key: string): boolean {
  return (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(key);
}

function mirrorOf(mirror: StackConfig["mirror"]): Mirror {
  return typeof mirror === "string" ? { images: mirror, charts: `oci://${mirror}/charts` } : { ...mirror };
}

/** Charts in a folder: is each there, in the version that is pinned? */
function checkCharts({ serving, database, objectStore }: StackConfig, mirror: Mirror): Problem[] {
  if (mirror.charts === undefined || /^(oci|https?):/.test(mirror.charts)) return [];
  const needed: ChartPin[] = [
    ...(database.kind === "postgres" ? [charts.postgres] : []),
    ...(objectStore.kind === "minio" ? [charts.minio] : []),
    charts.mlflow,
    seldonChart(serving.version),
  ];
  return needed.flatMap((pin) => {
    const problem = chartProblem(pin, chartSource(pin, mirror).chart);
    return problem === undefined ? [] : [{ path: ["mirror", "charts"], message: problem }];
  });
}

function chartProblem({ name, version }: ChartPin, place: string): string | undefined {
  if (place.endsWith(".tgz")) return undefined;
  const file = path.join(place, "Chart.yaml");
  if (!existsSync(file))
    return `has neither ${name}/ nor ${name}-${version}.tgz (looked for ${path.resolve(place)})`;
  const found = (parseYaml(readFileSync(file, "utf8")) as { version?: unknown }).version;
  return found === version ? undefined : `has ${name} ${String(found)}, and ${version} is pinned`;
}

function report(problems: readonly Problem[]): string {
  const file = `Pulumi.${pulumi.getStack()}.yaml`;
  const lines = problems.map(({ path: place, message }) => `  ${placeOf(place)} ${message}.`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${file} has ${count}; nothing was changed:\n${[...new Set(lines)].sort().join("\n")}`;
}

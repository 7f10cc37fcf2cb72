import { writeFileSync } from "node:fs";

import colors from "picocolors";

import { allCharts, allImages, otherCharts, otherImages } from "../../pins";
import { eventOf } from "../checks/check";
import { typed } from "../paths";
import { pinsReport } from "../pins/report";
import { verifyPins } from "../pins/verify";
import type { ChartUse, ImageUse } from "../plan/images";
import { Progress } from "../progress";
import type { Plan } from "../plan/plan";

/** Options of `npm run pins`. */
export interface PinsOptions {
  readonly stack: string;
  readonly json?: boolean;
  readonly copy?: boolean;
  readonly verify?: boolean;
  /** A file that gets what is wrong, for an issue. */
  readonly report?: string;
}

/**
 * `npm run pins`: lists every image and chart that a stack pulls. With `--verify` all that are pinned are asked for where
 * they are published.
 *
 * @returns the exit code: 1 one is gone, moved or under another licence.
 * @throws UserError there is no such stack, or its configuration is wrong.
 */
export async function pins({ stack, json, copy, verify, report }: PinsOptions): Promise<number> {
  if (verify) return askForAll(json === true, report);
  const [{ planOf }, { Names }] = await Promise.all([import("../plan/plan.js"), import("../plan/names.js")]);
  const plan = await planOf(stack);
  const names = new Names(plan.recording);
  const short = (urn: string) => names.short(urn);
  if (json) {
    process.stdout.write(`${JSON.stringify({ stack, ...jsonPins(plan, short) })}\n`);
  } else if (copy) {
    process.stdout.write(`${copyLines(plan).join("\n")}\n`);
  } else {
    const lines = [
      colors.bold(`Images of stack ${stack}`),
      ...plan.images.flatMap((image) => imageLines(image, short)),
      "",
      colors.bold(`Charts of stack ${stack}`),
      ...plan.charts.flatMap(chartLines),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  }
  return 0;
}

/** How long a registry is waited for. */
const answerMilliseconds = 30_000;

async function askForAll(json: boolean, report: string | undefined): Promise<number> {
  const ask = (url: string, init?: RequestInit) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(answerMilliseconds) });
  const images = [...allImages, ...otherImages];
  const charts = [...allCharts, ...otherCharts];
  const findings = await verifyPins({ images, charts }, ask);
  const progress = Progress.for({ json });
  for (const { severity, ...finding } of findings)
    if (json) progress.event(eventOf({ severity, ...finding }));
    else process.stdout.write(`${severity === "error" ? "✗" : "!"} ${finding.what}\n`);
  const wrong = findings.filter(({ severity }) => severity === "error").length;
  if (!json)
    process.stdout.write(
      `${images.length} images and ${charts.length} charts: ${wrong} not as pinned, ${findings.length - wrong} not asked.\n`,
    );
  if (report === undefined) return wrong === 0 ? 0 : 1;
  writeFileSync(typed(report), pinsReport(findings));
  return 0;
}

function jsonPins({ images, charts }: Plan, short: (urn: string) => string): object {
  return {
    images: images.map(({ reference, pin, built, resources }) => ({
      reference,
      ...pin,
      origin: originOf({ pin, built }),
      usedBy: resources.map(short),
    })),
    charts: charts.map(({ name, version, pin, resource }) => ({
      name,
      version,
      ...pin,
      usedBy: short(resource),
    })),
  };
}

function imageLines(image: ImageUse, short: (urn: string) => string): string[] {
  const { reference, pin, resources } = image;
  const [name = "", digest] = reference.split("@");
  const origin = originOf(image);
  return [
    `  ${name}  ${colors.cyan(pin?.licence ?? origin)}`,
    ...(digest === undefined ? [] : [colors.dim(`    ${digest}`)]),
    colors.dim(`    for ${resources.map(short).join(", ")}`),
    ...(pin === undefined ? [] : [colors.dim(`    ${pin.why}`)]),
  ];
}

function chartLines({ name, version, pin }: ChartUse): string[] {
  return [
    `  ${name} ${version}  ${colors.cyan(pin?.licence ?? "not in pins.ts")}`,
    ...(pin === undefined ? [] : [colors.dim(`    ${pin.repository}`), colors.dim(`    ${pin.why}`)]),
  ];
}

function originOf({ pin, built }: Pick<ImageUse, "pin" | "built">): string {
  if (built) return "built by the stack";
  return pin === undefined ? "named by the configuration" : "pins.ts";
}

/**
 * What fills an internal registry, from where things are published: images under their own path, as the `mirror`
 * setting expects them, and charts below `charts`.
 */
function copyLines({ images, charts }: Plan): string[] {
  const pulled = images.flatMap(({ pin }) => (pin === undefined ? [] : [pin]));
  const installed = charts.flatMap(({ pin }) => (pin === undefined ? [] : [pin]));
  return [
    "set -eu",
    ': "${MIRROR:?a registry, such as registry.example.com/mirror}"',
    ...pulled.map(({ repository, tag, digest }) => {
      const source = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
      return `crane copy ${source} "$MIRROR${repository.slice(repository.indexOf("/"))}:${tag}"`;
    }),
    ...installed.flatMap(({ name, repository, version }) => [
      repository.startsWith("oci://")
        ? `helm pull ${repository}/${name} --version ${version}`
        : `helm pull ${name} --repo ${repository} --version ${version}`,
      `helm push ${name}-${version}.tgz "oci://$MIRROR/charts"`,
    ]),
  ];
}

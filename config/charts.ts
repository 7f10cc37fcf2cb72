import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { installedCharts } from "../components/capabilities";
import { type ChartPin, chartSource, type Mirror } from "../pins";
import type { Understood } from "./checks";
import type { Mistake } from "./mistakes";

/** Where charts come from a folder: is each there, in the version that is pinned? */
export function checkCharts(config: Understood, mirror: Mirror): Mistake[] {
  if (mirror.charts === undefined || /^(oci|https?):/.test(mirror.charts)) return [];
  return installedCharts(config).flatMap((pin) => {
    const message = chartProblem(pin, chartSource(pin, mirror).chart);
    return message === undefined ? [] : [{ path: ["mirror", "charts"], message }];
  });
}

function chartProblem({ name, version }: ChartPin, place: string): string | undefined {
  if (place.endsWith(".tgz")) return undefined;
  const file = path.join(place, "Chart.yaml");
  if (!existsSync(file)) return `has no chart ${name} ${version}: there is no ${path.resolve(file)}`;
  const found = versionIn(file);
  return found === version
    ? undefined
    : `has ${name} ${found ?? "without a version"}, and ${version} is pinned`;
}

/** By its line, since a parser for YAML would be loaded at every start. */
function versionIn(file: string): string | undefined {
  return /^version:\s*["']?([^\s"'#]+)/m.exec(readFileSync(file, "utf8"))?.[1];
}

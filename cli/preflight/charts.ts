import type { Recording } from "../plan/recording";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { plannedReleases } from "./planned";
import { type Finding, warning } from "../../finding";
import { listed } from "../../config/words";
import { isRegistry, registryUrl, unreached } from "./reach";

// Only a warning: a proxy that Helm goes through is not asked here, and a release that does not change needs no chart.
export const charts: Check<Inspection> = {
  subject: "the repositories of the charts",
  asks: "whether the charts' repositories answer",
  async find({ plan, signal }) {
    const places = chartPlaces(plan.recording);
    const reasons = await Promise.all(places.map((place) => reach(place, signal)));
    return chartProblems(places, reasons);
  },
};

/** Where charts are taken from over the network. */
export interface ChartPlace {
  readonly url: string;
  readonly registry: boolean;
  readonly charts: readonly string[];
}

/** The places that charts are taken from. Those in a folder have been seen when the plan was made. */
export function chartPlaces(recording: Recording): ChartPlace[] {
  const places = new Map<string, ChartPlace>();
  for (const { chart, source, repository } of plannedReleases(recording)) {
    const host = /^oci:\/\/([^/]+)/.exec(source)?.[1];
    const url =
      host === undefined ? repository && `${repository.replace(/\/$/, "")}/index.yaml` : registryUrl(host);
    if (url === undefined) continue;
    places.set(url, {
      url,
      registry: host !== undefined,
      charts: [...(places.get(url)?.charts ?? []), chart],
    });
  }
  return [...places.values()];
}

function reach({ url, registry }: ChartPlace, signal: AbortSignal): Promise<string | undefined> {
  return unreached(url, registry ? isRegistry : (status) => status < 400, signal);
}

/** @param reasons why each place will not do; undefined if it will. */
export function chartProblems(
  places: readonly ChartPlace[],
  reasons: readonly (string | undefined)[],
): Finding[] {
  const lost = places.flatMap(({ charts }, index) => {
    const reason = reasons[index];
    return reason === undefined ? [] : [`${listed(charts)} (${reason})`];
  });
  if (lost.length === 0) return [];
  return [
    warning(
      `charts cannot be fetched from here: ${lost.join("; ")}`,
      "Check the network; or keep the charts in a folder or a registry of your own, and name it: mirror.charts",
    ),
  ];
}

import type { Cluster } from "../cluster/cluster";
import { type HelmRelease, HelmReleases } from "../cluster/releases";
import type { Health, Item } from "./item";

/** The releases of some namespaces. @throws Refused */
export async function releaseItems(
  cluster: Cluster,
  namespaces: readonly string[],
): Promise<readonly Item[]> {
  const releases = new HelmReleases(cluster);
  const found = await Promise.all(namespaces.map((namespace) => releases.list(namespace)));
  return found.flat().map(releaseItem);
}

function releaseItem(release: HelmRelease): Item {
  const { namespace, name, status, chart, version, revision, appVersion, description, deployed } = release;
  const health = healthOf(status);
  const chartText = chart === "" ? "its record cannot be read" : `${chart} ${version}, revision ${revision}`;
  return {
    part: "release",
    name: `${namespace}/${name}`,
    health,
    state: status,
    detail: health === "ill" ? `${chartText}: ${description}` : chartText,
    ...(health === "well" ? {} : { mend: status === "failed" ? "npm run up" : "npm run doctor" }),
    facts: { chart, version, appVersion, revision, deployed },
  };
}

/** What is neither deployed nor failed is under way, or was cut off. */
function healthOf(status: string): Health {
  if (status === "deployed") return "well";
  return status === "failed" ? "ill" : "warning";
}

import { type HelmRelease, HelmReleases } from "../cluster/releases";
import type { Check, Problem } from "./problem";
import { isBusy } from "./stackChecks";

/** As long as the platform lets a release take; what is under way for longer was cut off. */
const releaseMinutes = 15;

/** Releases that are neither in order nor being worked on. */
export const releaseCheck: Check = {
  title: "Helm's releases",
  examine: async ({ cluster, namespaces, stack }) => {
    if (isBusy(stack)) return [];
    const releases = new HelmReleases(cluster);
    const found = (await Promise.all(namespaces.map((namespace) => releases.list(namespace)))).flat();
    return found.flatMap((release) => {
      const problem = problemOf(release, releases);
      return problem === undefined ? [] : [problem];
    });
  },
};

function problemOf(release: HelmRelease, releases: HelmReleases): Problem | undefined {
  const { namespace, name, status, revision, deployed, description } = release;
  const since = deployed === "" ? "" : `, since ${deployed}`;
  const title = `stuck release ${name} in ${namespace}`;
  const forget = (scope: "newest" | "all") => () => releases.forget(namespace, name, scope);
  if (status.startsWith("pending-"))
    return {
      title,
      found: `revision ${revision} is ${status}${since}${maybeAlive(release)}`,
      means: "Helm refuses any work on it: another operation (install/upgrade/rollback) is in progress",
      mend: {
        description:
          "forget that revision; what it has installed stays, and the next `up` goes on from there",
        apply: forget("newest"),
        command: "npm run up",
      },
    };
  if (status === "uninstalling")
    return {
      title,
      found: `it is ${status}${since}${maybeAlive(release)}`,
      means: "Helm takes it for there when it is to be installed, and for gone when it is to be changed",
      mend: {
        description: "forget the release; what is left of it stays, and the next `up` installs it over that",
        apply: forget("all"),
        command: "npm run up",
      },
    };
  if (status === "failed")
    return {
      title: `failed release ${name} in ${namespace}`,
      found: `revision ${revision} has failed: ${description}`,
      means: "part of it may be missing or of the revision before",
      mend: { description: "the next `up` mends it in place once its cause is gone", command: "npm run up" },
    };
  return undefined;
}

/** Someone else's Helm may still be at it, which cannot be told from the record. */
function maybeAlive({ deployed }: HelmRelease): string {
  const minutes = (Date.now() - Date.parse(deployed)) / 60_000;
  return minutes < releaseMinutes
    ? `: if somebody is at work on it right now, leave it to them for ${Math.ceil(releaseMinutes - minutes)} more minutes`
    : "";
}

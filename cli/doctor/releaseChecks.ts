import type { Finding } from "../../finding";
import type { Check } from "../checks/check";
import { inWords } from "../cluster/kinds";
import { type HelmRelease, HelmReleases } from "../cluster/releases";
import type { Patient } from "./patient";
import { isBusy } from "./stackChecks";

/** As long as the platform lets a release take; what is under way for longer was cut off. */
const releaseMinutes = 15;

export const releaseCheck: Check<Patient> = {
  subject: "Helm's releases",
  asks: "whether a release has failed, or was cut off in the middle",
  find: async ({ cluster, namespaces, stack }) => {
    if (isBusy(stack)) return [];
    const releases = new HelmReleases(cluster);
    const found = (await Promise.all(namespaces.map((namespace) => releases.list(namespace)))).flat();
    // Whoever brought the stack up from here knows that nobody is at work on it.
    return found.flatMap((release) => findingsIn(release, releases, stack !== undefined));
  },
};

function findingsIn(release: HelmRelease, releases: HelmReleases, idle: boolean): Finding[] {
  const { namespace, name, status, revision, deployed, description } = release;
  const common = {
    severity: "error" as const,
    what: `release ${name} in ${namespace}: ${status}`,
    about: [inWords("Release", namespace, name)],
  };
  if (status === "failed")
    return [
      {
        ...common,
        detail: `revision ${revision} has failed: ${description}`,
        means: "part of it may be missing, or of the revision before",
        mend: "once its cause is gone, this mends it in place: npm run up",
      },
    ];
  const stuck = stuckMeans(status);
  if (stuck === undefined) return [];
  const { scope, means, forget } = stuck;
  const left = idle ? 0 : releaseMinutes - (Date.now() - Date.parse(deployed)) / 60_000;
  return [
    {
      ...common,
      detail: `revision ${revision} was begun at ${deployed === "" ? "an unknown time" : deployed} and not finished`,
      means,
      ...(left > 0
        ? { mend: `somebody may be at work on it: wait ${Math.ceil(left)} minutes, and look again` }
        : { mend: forget, repair: () => releases.forget(namespace, name, scope) }),
    },
  ];
}

/** What it means that work on a release was cut off, and what is forgotten for it to go on. */
function stuckMeans(status: string) {
  if (status.startsWith("pending-"))
    return {
      scope: "newest",
      means: "Helm refuses any work on it: another operation (install/upgrade/rollback) is in progress",
      forget: "forget that revision; what it has installed stays, and the next `up` goes on from there",
    } as const;
  if (status === "uninstalling")
    return {
      scope: "all",
      means: "Helm refuses to install it, since it is there, and to change it, since it is on its way out",
      forget: "forget the release; what is left of it stays, and the next `up` installs it over that",
    } as const;
  return undefined;
}

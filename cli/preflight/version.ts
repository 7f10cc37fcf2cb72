import { kubernetesVersions } from "../cluster/versions";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { error, type Finding, warning } from "../../finding";

export const version: Check<Inspection> = {
  subject: "the cluster's version",
  asks: "whether the platform runs on the cluster's version of Kubernetes",
  find: ({ target }) => Promise.resolve(versionProblems(target.version)),
};

/** @param found as the API server says it: `v1.34.4`, `v1.29.10-gke.1000`. */
export function versionProblems(found: string): Finding[] {
  const minor = minorOf(found);
  const { oldest, newest, own } = kubernetesVersions;
  if (minor < minorOf(oldest))
    return [
      error(
        `the cluster runs Kubernetes ${found}, and the platform needs ${oldest} or newer`,
        `Upgrade the cluster; a minikube is made anew with: minikube start --kubernetes-version=${own}`,
      ),
    ];
  if (minor > minorOf(newest))
    return [
      warning(
        `the cluster runs Kubernetes ${found}, and the platform has been tried on ${newest} at most`,
        "Go on; what does not work there is worth an issue",
      ),
    ];
  return [];
}

/** There is no Kubernetes 2 to be told from 1. */
function minorOf(text: string): number {
  return Number(/^v?1\.(\d+)/.exec(text)?.[1] ?? Number.NaN);
}

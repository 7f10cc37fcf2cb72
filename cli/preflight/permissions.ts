import type { V1SelfSubjectAccessReview } from "@kubernetes/client-node";

import { chartFootprints } from "../../components/capabilities";
import { at, text } from "../../policy/rules/values";
import type { Cluster } from "../cluster/cluster";
import type { Recording } from "../plan/recording";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { type PlannedRelease, plannedReleases } from "./planned";
import { error, type Finding } from "../../finding";
import { listed } from "../../config/words";

// Who may create a thing may, by custom, change and delete it.
export const permissions: Check<Inspection> = {
  subject: "the rights of the kubeconfig's user",
  asks: "whether the kubeconfig's user may make what the stack consists of",
  async find({ plan, target, cluster }) {
    const wanted = rightsFor(plan.recording);
    const allowed = await Promise.all(wanted.map((right) => isAllowed(cluster, right)));
    const missing = wanted.filter((_, index) => !allowed[index]);
    return permissionProblems(missing, wanted, target.context.name);
  },
};

/** The right to create things of a kind. */
export interface Right {
  /** Empty for the core's. */
  readonly group: string;
  /** Plural, as RBAC has it. */
  readonly resource: string;
  /** Empty for all of the cluster, and for what is in no namespace. */
  readonly namespace: string;
}

/** What a chart's release consists of, its own record in a Secret included. */
const releaseParts = [
  "apps/deployments",
  "apps/statefulsets",
  "/configmaps",
  "/persistentvolumeclaims",
  "/secrets",
  "/serviceaccounts",
  "/services",
];

/** The rights that bringing a stack up takes, each once. */
export function rightsFor(recording: Recording): Right[] {
  const rights = [
    ...recording.resources.flatMap(({ type, inputs }) => {
      const [, group, kind] = /^kubernetes:([^/]+)\/v\w+:(\w+)$/.exec(type) ?? [];
      if (group === undefined || kind === undefined || group === "helm.sh") return [];
      const namespace = text(at(inputs, "metadata", "namespace")) ?? "";
      return [{ group: group === "core" ? "" : group, resource: plural(kind), namespace }];
    }),
    ...plannedReleases(recording).flatMap(releaseRights),
  ];
  const unique = new Map(
    rights.map((right) => [`${right.group}/${right.resource} ${right.namespace}`, right]),
  );
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
}

function releaseRights({ chart, namespace }: PlannedRelease): Right[] {
  return [
    ...releaseParts.map((part) => {
      const [group = "", resource = ""] = part.split("/");
      return { group, resource, namespace };
    }),
    ...(chartFootprints[chart]?.clusterWide ?? []).map((part) => ({ ...part, namespace: "" })),
  ];
}

function plural(kind: string): string {
  return `${kind.toLowerCase()}s`.replace(/ys$/, "ies");
}

async function isAllowed(cluster: Cluster, { group, resource, namespace }: Right): Promise<boolean> {
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb: "create", group, resource, namespace } },
  };
  const { body } = await cluster.send("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    body: JSON.stringify(review),
  });
  return (JSON.parse(body) as V1SelfSubjectAccessReview).status?.allowed === true;
}

/** All rights that are missing, in one line: with its namespaces, what may be created in some of those that need it. */
export function permissionProblems(
  missing: readonly Right[],
  wanted: readonly Right[],
  context: string,
): Finding[] {
  if (missing.length === 0) return [];
  const things = [...new Set(missing.map(nameOf))].map((name) => {
    const [lacking, needing] = [missing, wanted].map((rights) =>
      rights.filter((right) => nameOf(right) === name).map(({ namespace }) => namespace),
    );
    return lacking?.length === needing?.length ? name : `${name} (in ${listed(lacking ?? [])})`;
  });
  return [
    error(
      `the user of context ${context} may not create ${listed(things)}`,
      "Ask whoever runs the cluster for these rights (the ClusterRole cluster-admin has all), or use another context",
    ),
  ];
}

/** As `kubectl auth can-i` takes it. */
function nameOf({ group, resource }: Right): string {
  return group === "" ? resource : `${resource}.${group}`;
}

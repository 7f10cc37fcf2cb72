import type { V1CustomResourceDefinition, V1ValidatingWebhookConfiguration } from "@kubernetes/client-node";

import { listed } from "../../../config/words";
import { error, type Finding } from "../../../finding";
import { seldonChartName } from "../../../pins";
import type { Check } from "../../checks/check";
import type { Live } from "../../cluster/cluster";
import { clusterKinds } from "../../cluster/kinds";
import type { Inspection } from "../../preflight/inspection";
import { type PlannedRelease, plannedReleases } from "../../preflight/planned";
import { definitionAddress, seldonDefinition } from "./resource";

const webhookName = "seldon-validating-webhook-configuration";

export const otherInstallation: Check<Inspection> = {
  subject: "another Seldon in the cluster",
  asks: "whether the cluster has one already: its names are fixed, so there is room for one only",
  async find({ plan, cluster, target }) {
    const release = plannedReleases(plan.recording).find(({ chart }) => chart === seldonChartName);
    if (release === undefined) return [];
    const [definition, webhooks] = await Promise.all([
      cluster.get<V1CustomResourceDefinition>(definitionAddress),
      cluster.list<V1ValidatingWebhookConfiguration>(clusterKinds.ValidatingWebhookConfiguration),
    ]);
    return installationsOfOthers(release, definition, webhooks, target.context.name);
  },
};

/** What of Seldon belongs to another release than the stack's. */
export function installationsOfOthers(
  release: Pick<PlannedRelease, "name" | "namespace">,
  definition: Live<V1CustomResourceDefinition> | undefined,
  webhooks: readonly Live<V1ValidatingWebhookConfiguration>[],
  context: string,
): Finding[] {
  const objects = [
    ...(definition === undefined ? [] : [definition]),
    ...webhooks.filter(({ metadata }) => metadata?.name?.startsWith(webhookName)),
  ];
  const foreign = objects.filter(({ metadata }) => {
    const { name, namespace } = helmOwner(metadata?.annotations);
    return name !== release.name || namespace !== release.namespace;
  });
  const [first] = foreign;
  if (first === undefined) return [];
  const { name, namespace } = helmOwner(first.metadata?.annotations);
  const things = listed(foreign.map(({ metadata }) => metadata?.name ?? ""));
  return name === undefined
    ? [
        error(
          `the cluster has a Seldon that Helm did not install: ${things}`,
          `Use another cluster, or remove it with all it serves, as it was installed; left-over kinds alone with: ` +
            `kubectl --context ${context} delete customresourcedefinition ${seldonDefinition}`,
        ),
      ]
    : [
        error(
          `the cluster has a Seldon of somebody else, and can have one only: ${things} of release ${name} in ` +
            `namespace ${namespace ?? ""}`,
          `Use another cluster, or remove it with all it serves: helm --kube-context ${context} uninstall ${name} ` +
            `--namespace ${namespace ?? ""}`,
        ),
      ];
}

function helmOwner(annotations: Readonly<Record<string, string>> | undefined) {
  return {
    name: annotations?.["meta.helm.sh/release-name"],
    namespace: annotations?.["meta.helm.sh/release-namespace"],
  };
}

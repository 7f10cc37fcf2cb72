import type { V1Namespace } from "@kubernetes/client-node";

import { chartFootprints } from "../../components/capabilities";
import { kindOf } from "../../policy/rules/kubernetes";
import { at, list, object, text, walk } from "../../policy/rules/values";
import { type IngressNeeds, ingressFaults } from "../cluster/ingresses";
import { policyResources } from "../plan/policy";
import type { Recording } from "../plan/recording";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { ownNamespaces, plannedReleases } from "./planned";
import { warning } from "../../finding";
import { listed } from "../../config/words";

// Warnings, since all of it may come later.
export const ingress: Check<Inspection> = {
  subject: "what the ways in from outside need",
  asks: "whether what others bring for the ways in from outside is there: ingress class, certificate, the namespaces that policies let in",
  async find({ plan, cluster }) {
    const ways = plannedWays(plan.recording);
    const wanted = letIn(plan.recording);
    const [faults, namespaces] = await Promise.all([
      Promise.all(ways.map((way) => ingressFaults(cluster, way))),
      wanted.length === 0 ? [] : cluster.list<V1Namespace>("/api/v1/namespaces"),
    ]);
    const there = namespaces.map(({ metadata }) => metadata?.name);
    const missing = wanted.filter((name) => !there.includes(name));
    return [
      ...ways.flatMap((way, index) =>
        (faults[index] ?? []).map(({ what, mend }) => warning(`the Ingress of ${way.release} ${what}`, mend)),
      ),
      ...(missing.length === 0
        ? []
        : [
            warning(
              `network policies let in pods of namespace ${listed(missing)}, which the cluster does not have`,
              "Install what runs there, or name the namespace that it is in: tracking.ingress.namespace, monitoring.namespace",
            ),
          ]),
    ];
  },
};

/** The Ingresses that the stack's charts make. */
export function plannedWays(recording: Recording): (IngressNeeds & { readonly release: string })[] {
  return plannedReleases(recording).flatMap(({ name, namespace, chart, values }) => {
    const place = chartFootprints[chart]?.ingress;
    const way = place === undefined ? {} : object(at(values, ...place));
    if (way["enabled"] !== true) return [];
    const secrets = list(way["tls"]).flatMap((one) => text(at(one, "secretName")) ?? []);
    const annotations = object(way["annotations"]) as Record<string, string>;
    return [{ release: name, namespace, className: text(way["className"]), secrets, annotations }];
  });
}

/** The namespaces of others that the stack's network policies name. */
export function letIn(recording: Recording): string[] {
  const own = [...ownNamespaces(recording), "kube-system", "default"];
  const named = policyResources(recording)
    .filter((resource) => kindOf(resource) === "NetworkPolicy")
    .flatMap(({ props }) => walk(props))
    .flatMap(
      ({ value }) => text(at(value, "namespaceSelector", "matchLabels", "kubernetes.io/metadata.name")) ?? [],
    );
  return [...new Set(named)].filter((name) => !own.includes(name)).sort();
}

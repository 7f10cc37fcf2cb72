import type { V1APIGroupList } from "@kubernetes/client-node";

import { list, object, walk } from "../../policy/rules/values";
import type { Recording } from "../plan/recording";
import type { Check } from "./inspection";
import type { Problem } from "./problem";

/** Whether the cluster has what the configuration says that it has: cert-manager, Prometheus, Istio, metrics-server. */
export const prerequisites: Check = {
  subject: "what the cluster has to bring with it",
  async find({ plan, cluster, target }) {
    const { body } = await cluster.send("/apis");
    const served = (JSON.parse(body) as V1APIGroupList).groups.map(({ name }) => name);
    return prerequisiteProblems(plan.recording, served, target.stack);
  },
};

/** Something that is installed apart. */
interface Prerequisite {
  readonly name: string;
  /** The API group that tells that it is there. */
  readonly group: string;
  /** Whether the stack needs it, by the resources that it makes and the values that its charts are given. */
  readonly needed: (types: ReadonlySet<string>, values: readonly unknown[]) => boolean;
  /** The setting that asks for it. */
  readonly setting: string;
  readonly link: string;
  readonly severity: Problem["severity"];
}

const prerequisitesOfStacks: readonly Prerequisite[] = [
  {
    name: "cert-manager",
    group: "cert-manager.io",
    needed: (_, values) => isOn(values, "certManager"),
    setting: "serving.certificate: cert-manager",
    link: "https://cert-manager.io/docs/installation/helm/",
    severity: "error",
  },
  {
    name: "the Prometheus operator",
    group: "monitoring.coreos.com",
    needed: (types, values) => types.has("monitoring.coreos.com") || isOn(values, "serviceMonitor"),
    setting: "monitoring.enabled: true",
    link: "https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack",
    severity: "error",
  },
  {
    name: "Istio",
    group: "networking.istio.io",
    needed: (_, values) => isOn(values, "istio"),
    setting: "serving.istio",
    link: "https://istio.io/latest/docs/setup/install/",
    severity: "error",
  },
  {
    name: "metrics-server",
    group: "metrics.k8s.io",
    needed: (_, values) =>
      values.some((value) => [...walk(value)].some((one) => "hpaSpec" in object(one.value))),
    setting: "models[].autoscaling",
    link: "https://github.com/kubernetes-sigs/metrics-server",
    // The models run without it, with as many pods as there are.
    severity: "warning",
  },
];

/** @param served the API groups of the cluster. */
export function prerequisiteProblems(
  { resources }: Pick<Recording, "resources">,
  served: readonly string[],
  stack: string,
): Problem[] {
  const types = new Set(resources.map(({ type }) => /^kubernetes:([^/]+)\//.exec(type)?.[1] ?? ""));
  const values = resources.flatMap(({ inputs }) => [
    inputs["values"],
    ...list(object(inputs["spec"])["predictors"]),
  ]);
  return prerequisitesOfStacks
    .filter(({ group, needed }) => !served.includes(group) && needed(types, values))
    .map(({ name, setting, link, severity }) => ({
      severity,
      what: `the cluster has no ${name.replace(/^the /, "")}, which the configuration asks for: ${setting}`,
      mend: `Install ${name} (${link}), or take the setting out of Pulumi.${stack}.yaml`,
    }));
}

/** Whether some chart is given `{ [part]: { enabled: true } }`, at whatever depth. */
function isOn(values: readonly unknown[], part: string): boolean {
  return values.some((value) =>
    [...walk(value)].some((one) => object(object(one.value)[part])["enabled"] === true),
  );
}

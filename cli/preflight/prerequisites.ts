import type { V1APIGroupList } from "@kubernetes/client-node";

import { footprints } from "../../components/capabilities";
import type { Asked } from "../../components/footprint";
import { list, object, walk } from "../../policy/rules/values";
import type { Recording } from "../plan/recording";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import type { Finding } from "../../finding";

export const prerequisites: Check<Inspection> = {
  subject: "what the cluster has to bring with it",
  asks: "whether the cluster has what the configuration says that it has: cert-manager, Prometheus, Istio, metrics-server",
  async find({ plan, cluster, target }) {
    const { body } = await cluster.send("/apis");
    const served = (JSON.parse(body) as V1APIGroupList).groups.map(({ name }) => name);
    return prerequisiteProblems(plan.recording, served, target.stack);
  },
};

/** @param served the API groups of the cluster. */
export function prerequisiteProblems(
  { resources }: Pick<Recording, "resources">,
  served: readonly string[],
  stack: string,
): Finding[] {
  const groups = new Set(resources.map(({ type }) => /^kubernetes:([^/]+)\//.exec(type)?.[1] ?? ""));
  const charts = resources.map(({ inputs }) => inputs["values"]);
  const predictors = resources.flatMap(({ inputs }) => list(object(inputs["spec"])["predictors"]));
  const asked: Asked = {
    groups,
    isOn: (part) => inside(charts).some((one) => object(one[part])["enabled"] === true),
    inPredictors: (key) => inside(predictors).some((one) => key in one),
  };
  return footprints
    .flatMap(({ prerequisites: needs = [] }) => needs)
    .filter(({ group, needed }) => !served.includes(group) && needed(asked))
    .map(({ name, setting, link, severity }) => ({
      severity,
      what: `the cluster has no ${name.replace(/^the /, "")}, which the configuration asks for: ${setting}`,
      mend: `Install ${name} (${link}), or take the setting out of Pulumi.${stack}.yaml`,
    }));
}

/** All groups in values, at whatever depth. */
function inside(values: readonly unknown[]): Readonly<Record<string, unknown>>[] {
  return values.flatMap((value) => walk(value).map((one) => object(one.value)));
}

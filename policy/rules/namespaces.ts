import type { PolicyResource, Rule } from "./model";
import { at, has, isUnknown, list, text } from "./values";

const namespace = "kubernetes:core/v1:Namespace";
const networkPolicy = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const label = "pod-security.kubernetes.io/enforce";

export const podSecurityLabels: Rule = {
  name: "pod-security-labels",
  description: "Every namespace enforces a Pod Security Standard, baseline or restricted.",
  enforcement: "mandatory",
  needs: "resource",
  check: ({ type, props }) => {
    if (type !== namespace) return [];
    const labels = at(props, "metadata", "labels");
    const level = at(labels, label);
    if (isUnknown(labels) || isUnknown(level) || level === "baseline" || level === "restricted") return [];
    const found = level === undefined ? "is missing" : `is ${JSON.stringify(level)}`;
    return [
      `metadata.labels["${label}"] ${found}: set it to restricted, or to baseline where that is too strict`,
    ];
  },
};

export const defaultDeny: Rule = {
  name: "default-deny-network",
  description:
    "In every namespace a NetworkPolicy refuses all traffic, in and out, that no other one admits; DNS may stay.",
  enforcement: "mandatory",
  needs: "stack",
  check: ({ type, props, name }, { resources }) => {
    if (type !== namespace) return [];
    const inCluster = at(props, "metadata", "name");
    if (isUnknown(inCluster)) return [];
    const policies = resources.filter(
      (resource) =>
        resource.type === networkPolicy && at(resource.props, "metadata", "namespace") === inCluster,
    );
    const open = (["Ingress", "Egress"] as const).filter(
      (direction) => !policies.some((policy) => denies(policy, direction)),
    );
    return open.length === 0
      ? []
      : [
          `metadata.name ${text(inCluster) ?? name}: no NetworkPolicy with an empty podSelector refuses ${open.join(" and ")}: ` +
            `add one with policyTypes [${open.join(", ")}] and no rules but for DNS`,
        ];
  },
};

/** Whether a policy is for all pods and admits nothing in a direction, or no more than questions for addresses. */
function denies({ props }: PolicyResource, direction: "Ingress" | "Egress"): boolean {
  const spec = props["spec"];
  const selector = at(spec, "podSelector");
  const all = !has(selector, "matchLabels") && !has(selector, "matchExpressions");
  // Without policyTypes a policy is for Ingress, and for Egress only if it has rules for that.
  const types = list(at(spec, "policyTypes") ?? ["Ingress"]);
  const rules = list(at(spec, direction.toLowerCase()));
  return all && types.includes(direction) && rules.every((rule) => direction === "Egress" && isDns(rule));
}

function isDns(rule: unknown): boolean {
  const ports = list(at(rule, "ports"));
  return ports.length > 0 && ports.every((port) => at(port, "port") === 53 && !has(port, "endPort"));
}

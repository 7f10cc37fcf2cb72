/** The network policies, worked out from what the capabilities say of their namespaces. All else is denied. */
import type { PlatformConfig } from "../../config";
import type { NamespaceFootprint, NetworkPolicySpec } from "../footprint";
import { anyPod, anywhere, denied, egress, type Flow, from, ingress, within } from "./flows";

/**
 * The policies of each namespace, by its key and the policy's name.
 *
 * A cluster whose network plugin knows no policies accepts and ignores them.
 *
 * @throws Error a namespace uses one that there is not.
 */
export function networkPolicies(
  spaces: Readonly<Record<string, NamespaceFootprint>>,
  config: PlatformConfig,
): Readonly<Record<string, Readonly<Record<string, NetworkPolicySpec>>>> {
  const { monitoring } = config;
  const portsOf = ({ ports, service }: NamespaceFootprint) => ports ?? (service ? [service.port] : []);
  const policiesOf = ([key, space]: readonly [string, NamespaceFootprint]) => {
    const flows = space.flows?.(config) ?? {};
    const clients =
      space.clients === "everyone"
        ? [everyone(portsOf(space))]
        : Object.entries(spaces).flatMap(([other, { uses = [], name }]): Flow[] => {
            if (!uses.includes(key)) return [];
            const ports = portsOf(space);
            return [other === key ? { peers: [within], ports } : from(name, ports)];
          });
    const asked = (space.uses ?? []).map((other): Flow => {
      const target = spaces[other];
      if (target === undefined)
        throw new Error(`namespace ${space.name} uses "${other}", which there is not`);
      const outside = target.outside?.(config);
      if (other === key) return { peers: [within], ports: portsOf(target) };
      return outside === undefined
        ? from(target.name, portsOf(target))
        : { peers: anywhere, ports: [outside] };
    });
    const metrics = monitoring.enabled ? (space.metrics ?? []) : [];
    return {
      "default-deny": denied,
      ...(clients.length === 0 ? {} : { "from-clients": ingress(...clients) }),
      ...(asked.length === 0 ? {} : { "to-platform": egress(...asked) }),
      ...flows,
      ...(metrics.length === 0 ? {} : { prometheus: ingress(from(monitoring.namespace, metrics)) }),
    };
  };
  return Object.fromEntries(Object.entries(spaces).map((entry) => [entry[0], policiesOf(entry)]));
}

function everyone(ports: readonly number[]): Flow {
  return { peers: [...anywhere, anyPod], ports };
}

/** The network policies, worked out from what the capabilities say of their namespaces. All else is denied. */
import type { PlatformConfig } from "../../config";
import type { NamespaceFootprint, NetworkPolicySpec } from "../footprint";
import { anyPod, anywhere, denied, egress, type Flow, from, ingress, jobsOf, within } from "./flows";

type Spaces = Readonly<Record<string, NamespaceFootprint>>;

/**
 * The policies of each namespace, by its key and the policy's name.
 *
 * A cluster whose network plugin knows no policies accepts and ignores them.
 *
 * @throws Error a namespace uses one that there is not.
 */
export function networkPolicies(
  spaces: Spaces,
  config: PlatformConfig,
): Readonly<Record<string, Readonly<Record<string, NetworkPolicySpec>>>> {
  const { monitoring } = config;
  const policiesOf = (key: string, space: NamespaceFootprint) => {
    const clients = clientsOf(key, space, spaces);
    const waysTo = (others: readonly string[] = []) =>
      others.map((other) => wayTo(other, key, spaces, config));
    const asked = waysTo(space.uses);
    const askedByJobs = waysTo(space.jobs?.use);
    const metrics = monitoring.enabled ? (space.metrics ?? []) : [];
    return {
      "default-deny": denied,
      ...(clients.length === 0 ? {} : { "from-clients": ingress(...clients) }),
      ...(asked.length === 0 ? {} : { "to-platform": egress(...asked) }),
      ...(askedByJobs.length === 0
        ? {}
        : {
            "jobs-to-platform": { ...egress(...askedByJobs), podSelector: jobsOf(space.jobs?.roles ?? []) },
          }),
      ...space.flows?.(config),
      ...(metrics.length === 0 ? {} : { prometheus: ingress(from(monitoring.namespace, metrics)) }),
    };
  };
  return Object.fromEntries(Object.entries(spaces).map(([key, space]) => [key, policiesOf(key, space)]));
}

/** Who asks a namespace. */
function clientsOf(key: string, space: NamespaceFootprint, spaces: Spaces): Flow[] {
  const ports = portsOf(space);
  if (space.clients === "everyone") return [{ peers: [...anywhere, anyPod], ports }];
  return Object.entries(spaces).flatMap(([other, { name, uses = [], jobs }]) => {
    if (uses.includes(key)) return [other === key ? { peers: [within], ports } : from(name, ports)];
    return jobs?.use.includes(key) === true ? [from(name, ports, jobs.roles)] : [];
  });
}

/** The way to a namespace, or to what is outside the cluster in its place. @param asking the key of who asks. */
function wayTo(key: string, asking: string, spaces: Spaces, config: PlatformConfig): Flow {
  const target = spaces[key];
  if (target === undefined)
    throw new Error(`namespace ${spaces[asking]?.name ?? asking} uses "${key}", which there is not`);
  if (key === asking) return { peers: [within], ports: portsOf(target) };
  const outside = target.outside?.(config);
  return outside === undefined ? from(target.name, portsOf(target)) : { peers: anywhere, ports: [outside] };
}

function portsOf({ ports, service }: NamespaceFootprint): readonly number[] {
  return ports ?? (service ? [service.port] : []);
}

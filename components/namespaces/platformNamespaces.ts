import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { onceReady, ownership } from "../kubernetes";
import { namespacesByRole, type NamespaceRole } from "../capabilities";
import type { NetworkPolicySpec, PodSecurityLevel } from "../footprint";

export interface PlatformNamespacesArgs {
  /**
   * The Kubernetes version whose Pod Security Standards hold. Pinned, so that an upgraded cluster does not
   * refuse pods that it admitted the day before. An older cluster applies its own newest.
   */
  podSecurityVersion: pulumi.Input<string>;
  /**
   * Which state they belong to.
   * @default it is not written on them
   */
  owner?: { readonly id: string; readonly state: string } | undefined;
  /** The network policies of each namespace, by their names. */
  policies: Readonly<Record<string, Readonly<Record<string, NetworkPolicySpec>>>>;
  /**
   * Whether the namespaces that hold data are protected, and stay when the stack is destroyed: a namespace takes
   * its volumes with it.
   * @default false
   */
  protectData?: boolean;
}

/** The namespaces by what runs in them; a name is known at once, and there once its network policies are. */
export type NamespaceNames = Readonly<Record<NamespaceRole, pulumi.Output<string>>>;

/**
 * The platform's namespaces, with their Pod Security levels and network policies. Their names are fixed: every
 * address inside the cluster contains one.
 */
export class PlatformNamespaces extends pulumi.ComponentResource {
  public readonly names: NamespaceNames;

  constructor(name: string, args: PlatformNamespacesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:namespaces:PlatformNamespaces", name, {}, opts);
    const create = (role: NamespaceRole): pulumi.Output<string> => {
      const namespace = this.createNamespace(name, role, args);
      const created = Object.entries(args.policies[role] ?? {}).map(([policy, spec]) =>
        this.createPolicy(name, role, policy, spec, namespace),
      );
      return created.reduce((known, policy) => onceReady(policy, known), namespace.metadata.name);
    };
    const roles = Object.keys(namespacesByRole) as NamespaceRole[];
    this.names = Object.fromEntries(roles.map((role) => [role, create(role)])) as NamespaceNames;
    this.registerOutputs({ names: this.names });
  }

  private createNamespace(
    name: string,
    role: NamespaceRole,
    args: PlatformNamespacesArgs,
  ): k8s.core.v1.Namespace {
    const { name: inCluster, level, holdsData = false } = namespacesByRole[role];
    const labels = { ...ownership, ...podSecurity(level, args.podSecurityVersion) };
    const annotations = args.owner && ownerAnnotations(args.owner);
    const keep = args.protectData === true && holdsData;
    return new k8s.core.v1.Namespace(
      `${name}-${inCluster}`,
      { metadata: { name: inCluster, labels, ...(annotations && { annotations }) } },
      { parent: this, protect: keep, retainOnDelete: keep },
    );
  }

  private createPolicy(
    name: string,
    role: NamespaceRole,
    policy: string,
    spec: NetworkPolicySpec,
    namespace: k8s.core.v1.Namespace,
  ): k8s.networking.v1.NetworkPolicy {
    return new k8s.networking.v1.NetworkPolicy(
      `${name}-${namespacesByRole[role].name}-${policy}`,
      { metadata: { name: policy, namespace: namespace.metadata.name, labels: ownership }, spec },
      { parent: this },
    );
  }
}

/** Names of the annotations that say whose a namespace is. */
export const ownerKeys = {
  id: "mlplatform/owner",
  stack: "mlplatform/stack",
  state: "mlplatform/state",
} as const;

function ownerAnnotations({ id, state }: { readonly id: string; readonly state: string }) {
  return { [ownerKeys.id]: id, [ownerKeys.stack]: pulumi.getStack(), [ownerKeys.state]: state };
}

/**
 * "enforce" refuses pods only: a Deployment that makes such pods is accepted and then never becomes ready.
 * "warn" and "audit" at the same level name the reason where the Deployment is applied.
 */
function podSecurity(level: PodSecurityLevel, version: pulumi.Input<string>) {
  const prefix = "pod-security.kubernetes.io";
  return {
    [`${prefix}/audit`]: level,
    [`${prefix}/audit-version`]: version,
    [`${prefix}/enforce`]: level,
    [`${prefix}/enforce-version`]: version,
    [`${prefix}/warn`]: level,
    [`${prefix}/warn-version`]: version,
  };
}

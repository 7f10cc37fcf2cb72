import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { onceReady, ownership } from "../kubernetes";
import { allowed, denied, namespaceNames, type NamespaceRole, type TrafficArgs } from "./traffic";

/** What a pod may ask of its node: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
type PodSecurityLevel = "baseline" | "restricted";

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
  /** What the network policies let through besides what the platform itself needs. */
  traffic: TrafficArgs;
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
 * As strict as what runs there allows.
 *
 * The charts of `restricted` run as non-root without capabilities; the seccomp profile is a value of theirs.
 * `seldon-system`: the chart renders `manager.containerSecurityContext` one level too high, where the API server
 * refuses it, so the manager keeps its capabilities. `ml-models`: the executor that Seldon adds to each model's pod
 * keeps its own; no setting drops them.
 */
const podSecurityLevels: Readonly<Record<NamespaceRole, PodSecurityLevel>> = {
  database: "restricted",
  objectStore: "restricted",
  tracking: "restricted",
  servingOperator: "baseline",
  models: "baseline",
  frontend: "restricted",
};

/**
 * The platform's namespaces, with their Pod Security levels and network policies. Their names are fixed: every
 * address inside the cluster contains one.
 */
export class PlatformNamespaces extends pulumi.ComponentResource {
  public readonly names: NamespaceNames;

  constructor(name: string, args: PlatformNamespacesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:namespaces:PlatformNamespaces", name, {}, opts);
    const policies = allowed(args.traffic);
    const create = (role: NamespaceRole): pulumi.Output<string> => {
      const namespace = this.createNamespace(name, role, args);
      const own = { "default-deny": denied, ...policies[role] };
      const created = Object.entries(own).map(([policy, spec]) =>
        this.createPolicy(name, role, policy, spec, namespace),
      );
      return created.reduce((known, policy) => onceReady(policy, known), namespace.metadata.name);
    };
    this.names = {
      database: create("database"),
      objectStore: create("objectStore"),
      tracking: create("tracking"),
      servingOperator: create("servingOperator"),
      models: create("models"),
      frontend: create("frontend"),
    };
    this.registerOutputs({ names: this.names });
  }

  private createNamespace(
    name: string,
    role: NamespaceRole,
    args: PlatformNamespacesArgs,
  ): k8s.core.v1.Namespace {
    const labels = { ...ownership, ...podSecurity(podSecurityLevels[role], args.podSecurityVersion) };
    const annotations = args.owner && ownerAnnotations(args.owner);
    const keep = args.protectData === true && (role === "database" || role === "objectStore");
    return new k8s.core.v1.Namespace(
      `${name}-${namespaceNames[role]}`,
      { metadata: { name: namespaceNames[role], labels, ...(annotations && { annotations }) } },
      { parent: this, protect: keep, retainOnDelete: keep },
    );
  }

  private createPolicy(
    name: string,
    role: NamespaceRole,
    policy: string,
    spec: k8s.types.input.networking.v1.NetworkPolicySpec,
    namespace: k8s.core.v1.Namespace,
  ): k8s.networking.v1.NetworkPolicy {
    return new k8s.networking.v1.NetworkPolicy(
      `${name}-${namespaceNames[role]}-${policy}`,
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

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** What a pod may ask of its node: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
type PodSecurityLevel = "baseline" | "restricted";

export interface PlatformNamespacesArgs {
  /**
   * The Kubernetes version whose Pod Security Standards hold. Pinned, so that an upgraded cluster does not
   * refuse pods that it admitted the day before. An older cluster applies its own newest.
   * @default "v1.34"
   */
  podSecurityVersion?: pulumi.Input<string>;
}

/** The namespaces by what runs in them; a name is known once its namespace exists. */
export interface NamespaceNames {
  readonly database: pulumi.Output<string>;
  readonly objectStore: pulumi.Output<string>;
  readonly tracking: pulumi.Output<string>;
  readonly servingOperator: pulumi.Output<string>;
  readonly models: pulumi.Output<string>;
  readonly frontend: pulumi.Output<string>;
}

/**
 * The platform's namespaces, each as strict as what runs in it allows. Their names are fixed: every address
 * inside the cluster contains one.
 */
export class PlatformNamespaces extends pulumi.ComponentResource {
  public readonly names: NamespaceNames;

  constructor(name: string, args: PlatformNamespacesArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:namespaces:PlatformNamespaces", name, {}, opts);

    const version = args.podSecurityVersion ?? "v1.34";
    const create = (namespace: string, level: PodSecurityLevel) =>
      new k8s.core.v1.Namespace(
        `${name}-${namespace}`,
        { metadata: { name: namespace, labels: { ...ownership, ...podSecurity(level, version) } } },
        { parent: this },
      ).metadata.name;

    this.names = {
      // These three charts run as non-root without capabilities. The seccomp profile that "restricted" also
      // asks for is a value of theirs: podSecurityContext.seccompProfile.type = RuntimeDefault.
      database: create("postgres", "restricted"),
      objectStore: create("minio-system", "restricted"),
      tracking: create("mlflow", "restricted"),
      // The chart (1.17.1) renders manager.containerSecurityContext one level too high, outside the
      // container's securityContext, where the API server refuses it: the manager keeps its capabilities.
      servingOperator: create("seldon-system", "baseline"),
      // The executor that Seldon adds to each model's pod keeps its capabilities; no setting drops them.
      models: create("ml-models", "baseline"),
      // Our own manifests only.
      frontend: create("fe", "restricted"),
    };
    this.registerOutputs({ names: this.names });
  }
}

const ownership = {
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "mlplatform",
};

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

import type { PolicyResource } from "../../../policy/rules";

/** A resource, named as in the cluster if its properties say how. */
export function resource(
  type: string,
  props: Record<string, unknown> = {},
  more: Partial<PolicyResource> = {},
): PolicyResource {
  const metadata = props["metadata"] as { name?: unknown } | undefined;
  const name = more.name ?? (typeof metadata?.name === "string" ? metadata.name : "it");
  const urn = `urn:pulumi:dev::mlplatform::${type}::${name}`;
  return { type, name, urn, props, secretPaths: [], protect: false, retainOnDelete: false, ...more };
}

export function secret(stringData: Record<string, string>, secretPaths: readonly string[]) {
  return resource("kubernetes:core/v1:Secret", { metadata: { name: "it" }, stringData }, { secretPaths });
}

/** A release of a chart of pins.ts. */
export function release(
  chart: "postgres" | "minio" | "mlflow" | "seldon-core-operator",
  values: Record<string, unknown>,
  more: Partial<PolicyResource> = {},
) {
  const version = {
    postgres: "0.20.1",
    minio: "0.13.3",
    mlflow: "1.11.5",
    "seldon-core-operator": "1.17.1",
  }[chart];
  const repository = "oci://registry.example.com/charts";
  const props = { chart: `${repository}/${chart}`, version, namespace: chart, values };
  return resource("kubernetes:helm.sh/v3:Release", props, { name: chart, ...more });
}

export const sized = {
  requests: { cpu: "100m", memory: "256Mi" },
  limits: { memory: "512Mi" },
};

export const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

const digest = `sha256:${"a".repeat(64)}`;

/** A container that no rule has anything against, but for what is changed. */
export function container(changed: Record<string, unknown> = {}) {
  return {
    name: "it",
    image: "docker.io/curlimages/curl:8.17.0",
    resources: sized,
    securityContext: restricted,
    ...changed,
  };
}

export function job(
  containers: readonly unknown[] = [container()],
  spec: Record<string, unknown> = { automountServiceAccountToken: false },
  more: Partial<PolicyResource> = {},
) {
  const template = { spec: { containers, ...spec } };
  return resource("kubernetes:batch/v1:Job", { metadata: { name: "it" }, spec: { template } }, more);
}

/** A SeldonDeployment with one predictor. */
export function model(predictor: Record<string, unknown>, more: Partial<PolicyResource> = {}) {
  return resource(
    "kubernetes:machinelearning.seldon.io/v1:SeldonDeployment",
    { metadata: { name: "it" }, spec: { predictors: [predictor] } },
    more,
  );
}

export function namespace(name: string, level?: string, more: Partial<PolicyResource> = {}) {
  const labels = level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
  return resource("kubernetes:core/v1:Namespace", { metadata: { name, labels } }, more);
}

export function networkPolicy(inNamespace: string, spec: Record<string, unknown>) {
  const metadata = { name: "it", namespace: inNamespace };
  return resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", { metadata, spec });
}

export function platform(inputs: Record<string, unknown>) {
  return resource("mlplatform:platform:MlPlatform", inputs, { name: "mlplatform" });
}

/** An image that the stack builds. */
export function builtImage(imageName: string, more: Record<string, unknown> = {}) {
  return resource("docker:index/image:Image", { imageName, ...more });
}

export { digest };

/** What the platform's own manifests have in common. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export { containerSecurity, podSecurity, requirements, scratch } from "./pods";

/** A credential in a Secret of the namespace that uses it. */
export interface Credentials {
  readonly secretName: pulumi.Output<string>;
  readonly usernameKey: string;
  readonly passwordKey: string;
}

/** Labels of everything that the platform makes itself. */
export const ownership = {
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "mlplatform",
};

/**
 * A value that is known now and true once a resource is ready.
 *
 * A chart's Service has a fixed name, so a preview can show it; whoever takes it from here still waits for the chart.
 */
export function onceReady<T>(
  resource: pulumi.Resource,
  value: pulumi.Input<T>,
): pulumi.Output<pulumi.Unwrap<T>> {
  return pulumi.output(resource.urn).apply(() => pulumi.output(value));
}

/** Puts credentials into a Secret, and returns its name. */
export function createSecret(
  name: string,
  secretName: string,
  namespace: pulumi.Input<string>,
  stringData: Record<string, pulumi.Input<string>>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const metadata = { name: secretName, namespace, labels: ownership };
  return new k8s.core.v1.Secret(name, { metadata, stringData }, opts).metadata.name;
}

/** An environment variable that holds a key of a Secret. */
export function fromSecret(name: string, secretName: pulumi.Input<string>, key: string) {
  return { name, valueFrom: { secretKeyRef: { name: secretName, key } } };
}

/** The address of a Service inside the cluster. */
export function serviceHost(service: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.output(namespace).apply((known) => hostOf(service, known));
}

/** The same, in a namespace whose name is known. */
export function hostOf(service: string, namespace: string): string {
  return `${service}.${namespace}.svc.cluster.local`;
}

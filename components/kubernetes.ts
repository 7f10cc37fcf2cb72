/** What the platform's own manifests have in common. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import type { Path } from "./footprint";

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
  return pulumi.interpolate`${service}.${namespace}.svc.cluster.local`;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Merges chart values as Helm does: groups key by key, everything else as a whole.
 *
 * @param added lists that are not replaced: what stands over them comes behind what is there. @default none
 */
export function mergeValues(
  base: Values,
  over: Values,
  added: readonly Path[] = [],
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    const below = added.flatMap(([first, ...rest]) => (first === key ? [rest] : []));
    if (isGroup(present) && isGroup(value)) merged[key] = mergeValues(present, value, below);
    else if (present !== undefined && Array.isArray(value) && below.some(({ length }) => length === 0))
      merged[key] = both(present as pulumi.Input<unknown[]>, value as unknown[]);
    else merged[key] = value;
  }
  return merged;
}

/**
 * Where values would take away a group of the base, or a list that is added to, by something that is neither.
 *
 * @returns paths, as `a.b`.
 */
export function misfits(base: Values, over: Values, added: readonly Path[] = []): string[] {
  return Object.entries(over).flatMap(([key, value]) => {
    const present = base[key];
    const below = added.flatMap(([first, ...rest]) => (first === key ? [rest] : []));
    if (isGroup(present) && Object.keys(present).length > 0)
      return isGroup(value) ? misfits(present, value, below).map((path) => `${key}.${path}`) : [key];
    const isAdded = below.some(({ length }) => length === 0);
    return isAdded && !Array.isArray(value) ? [key] : [];
  });
}

function both(first: pulumi.Input<unknown[]>, second: readonly unknown[]): pulumi.Input<unknown[]> {
  return Array.isArray(first)
    ? [...first, ...second]
    : pulumi.output(first).apply((list) => [...list, ...second]);
}

function isGroup(value: unknown): value is Values {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !pulumi.Output.isInstance(value)
  );
}

import * as path from "node:path";

import type { KubeObject, ReleaseSpec } from "./backend";
import { type Values, asText, asValues } from "./values";

/** The custom resource's definition, which the operator's chart brings. */
export const seldonCrd = "seldondeployments.machinelearning.seldon.io";

/** What a chart installs, as far as the tests need to see it come and go. */
export interface ChartObject {
  readonly object: KubeObject;
  /** It stays when the release is removed. */
  readonly keep?: boolean;
}

/** The chart's name, wherever it comes from. */
export function chartName({ chart }: Pick<ReleaseSpec, "chart">): string {
  return path.posix.basename(chart).replace(/-\d+\.\d+\.\d+(\.tgz)?$/, "");
}

/** A model of what the chart renders: a workload and its Service, its volume, the operator's definitions. */
export function rendered(spec: ReleaseSpec): ChartObject[] {
  const { namespace, name, values } = spec;
  const service = { object: objectOf("v1", "Service", namespace, name) };
  const deployment = { object: objectOf("apps/v1", "Deployment", namespace, name) };
  const volume = (volumeName: string, keep: boolean) => ({
    object: objectOf("v1", "PersistentVolumeClaim", namespace, volumeName),
    keep,
  });
  switch (chartName(spec)) {
    case "postgres":
      // Claims that come from a StatefulSet's template are not Helm's to delete.
      return [
        { object: objectOf("apps/v1", "StatefulSet", namespace, name) },
        service,
        volume(`data-${name}-0`, true),
      ];
    case "minio":
      return [deployment, service, volume(name, isKept(asValues(values["persistence"])))];
    case "seldon-core-operator": {
      const crd = asValues(values["crd"]);
      const admission = "admissionregistration.k8s.io/v1";
      return [
        ...(crd["create"] === false
          ? []
          : [
              {
                object: objectOf("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", seldonCrd),
                keep: isKept(crd),
              },
            ]),
        deployment,
        service,
        { object: objectOf(admission, "ValidatingWebhookConfiguration", "", `${name}-${namespace}`) },
      ];
    }
    default:
      return [deployment, service];
  }
}

function isKept(values: Values): boolean {
  return asText(asValues(values["annotations"])["helm.sh/resource-policy"]) === "keep";
}

function objectOf(apiVersion: string, kind: string, namespace: string, name: string): KubeObject {
  const metadata = namespace === "" ? { name } : { name, namespace };
  return { apiVersion, kind, namespace, name, manifest: { apiVersion, kind, metadata } };
}

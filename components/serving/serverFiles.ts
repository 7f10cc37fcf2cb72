import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import { ownership } from "../kubernetes";
import { standardServerFiles } from "./standardServer";

/**
 * What stands beside MLServer, as a ConfigMap. Other files have another name, so that the pods that run keep theirs.
 *
 * @param resource name of the resource.
 * @param prefix of the ConfigMap's name.
 */
export function createServerFiles(
  resource: string,
  prefix: string,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): { readonly name: string; readonly configMap: k8s.core.v1.ConfigMap } {
  const { files, digest } = standardServerFiles();
  const name = `${prefix}-${digest}`;
  const configMap = new k8s.core.v1.ConfigMap(
    resource,
    { metadata: { name, namespace, labels: ownership }, immutable: true, data: files },
    opts,
  );
  return { name, configMap };
}

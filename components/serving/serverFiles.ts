import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import { ownership } from "../kubernetes";
import { standardServerFiles } from "./standardServer";

/** What stands beside MLServer in a namespace. */
export interface ServerFiles {
  /** Of the ConfigMap. */
  readonly name: string;
  readonly configMap: k8s.core.v1.ConfigMap;
}

/**
 * Puts what stands beside MLServer into a ConfigMap, for all pods of the namespace. Other files have another name: the
 * pods that run keep theirs, which go when all models have the new ones.
 *
 * @param resource name of the resource.
 */
export function createServerFiles(
  resource: string,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): ServerFiles {
  const { files, digest } = standardServerFiles();
  const name = `standard-server-${digest}`;
  const configMap = new k8s.core.v1.ConfigMap(
    resource,
    { metadata: { name, namespace, labels: ownership }, immutable: true, data: files },
    opts,
  );
  return { name, configMap };
}

import { createHash } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../../config/fields";
import { containerSecurity, ownership, podSecurity, requirements, scratch } from "../kubernetes";
import { frontend, frontendPort } from "./footprint";

export interface FrontendArgs {
  /** The namespace; it exists. */
  namespace: pulumi.Input<string>;
  image: string;
  /**
   * What has to be there before it: its image, where that is built here.
   * @default nothing
   */
  after?: readonly pulumi.Resource[];
  /** The models that it lists, as its file has them. */
  models: readonly object[];
  /**
   * Names by which browsers reach it beside `localhost`.
   * @default []
   */
  hosts?: readonly string[];
  resources: Resources;
}

/** The user of its image. */
const user = 8888;
const health = "/_stcore/health";
const folder = "/etc/mlplatform";
const file = "models.json";

/** The page on which people ask the models: a pod that asks the models it is told of, and nobody else. */
export class Frontend extends pulumi.ComponentResource {
  /** Its address inside the cluster. */
  public readonly url: pulumi.Output<string>;

  constructor(name: string, args: FrontendArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:frontend:Frontend", name, {}, opts);
    const labels = { "app.kubernetes.io/name": "frontend" };
    const list = this.createList(name, args);
    const deployment = this.createDeployment(name, args, labels, list);
    this.url = this.createService(name, args, labels, deployment);
    this.registerOutputs({ url: this.url });
  }

  /** The list of models. Another one has another name, so that the pod is another, and the page right when it is ready. */
  private createList(name: string, { namespace, models }: FrontendArgs): k8s.core.v1.ConfigMap {
    const text = JSON.stringify({ models }, undefined, 2);
    const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
    return new k8s.core.v1.ConfigMap(
      `${name}-models`,
      {
        metadata: { name: `models-${digest}`, namespace, labels: ownership },
        immutable: true,
        data: { [file]: text },
      },
      { parent: this },
    );
  }

  private createDeployment(
    name: string,
    { namespace, image, after = [], hosts = [], resources }: FrontendArgs,
    labels: Record<string, string>,
    list: k8s.core.v1.ConfigMap,
  ): k8s.apps.v1.Deployment {
    const named = ["localhost", "127.0.0.1", ...hosts].flatMap((host) => ["--name", host]);
    const probe = { httpGet: { path: health, port: "http" }, timeoutSeconds: 3 };
    const listen = ["--host", "0.0.0.0", "--port", String(frontendPort)];
    return new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: {
          name: frontend.namespaces.frontend.service.name,
          namespace,
          labels: { ...ownership, ...labels },
        },
        spec: {
          replicas: 1,
          // What a visitor has done lies in the pod's memory; another pod takes its place when it is ready.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          selector: { matchLabels: labels },
          template: {
            metadata: { labels: { ...ownership, ...labels } },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurity(user),
              containers: [
                {
                  name: "frontend",
                  image,
                  imagePullPolicy: "IfNotPresent",
                  command: ["python", "-m", "frontend", "--models", `${folder}/${file}`, ...listen, ...named],
                  ports: [{ name: "http", containerPort: frontendPort }],
                  resources: requirements(resources),
                  securityContext: containerSecurity,
                  volumeMounts: [
                    ...scratch.volumeMounts,
                    { name: "models", mountPath: folder, readOnly: true },
                  ],
                  startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 120 },
                  readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 3 },
                  livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 3 },
                },
              ],
              volumes: [...scratch.volumes, { name: "models", configMap: { name: list.metadata.name } }],
            },
          },
        },
      },
      { parent: this, dependsOn: [...after] },
    );
  }

  private createService(
    name: string,
    { namespace }: FrontendArgs,
    labels: Record<string, string>,
    deployment: k8s.apps.v1.Deployment,
  ): pulumi.Output<string> {
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: {
          name: frontend.namespaces.frontend.service.name,
          namespace,
          labels: ownership,
          // The Deployment's own readiness is waited for; the endpoints come with it.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          type: "ClusterIP",
          selector: labels,
          ports: [{ name: "http", port: frontendPort, targetPort: "http" }],
        },
      },
      { parent: this, dependsOn: deployment },
    );
    return pulumi.interpolate`http://${service.metadata.name}.${service.metadata.namespace}.svc.cluster.local:${frontendPort}`;
  }
}

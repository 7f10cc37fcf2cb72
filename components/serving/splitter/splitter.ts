import { createHash } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { containerSecurity, ownership, podSecurity, requirements, serviceHost } from "../../kubernetes";
import { createBudget } from "../seldon/disruptionBudget";
import { type GraphBehind, type Share, envoyConfig, farewell, readyPath } from "./envoyConfig";
import { mainPredictor, splitterLabels, splitterPorts, splitterResources } from "./splits";

export interface SplitterArgs {
  /** Name of the model. */
  model: string;
  /** The namespace; it exists. */
  namespace: pulumi.Input<string>;
  /** Envoy's image. */
  image: string;
  /** The predictors, with their shares. The one called {@link mainPredictor} answers for those that cannot be reached. */
  shares: readonly SplitShare[];
  /** @default no graph is behind it */
  graph?: GraphBehind | undefined;
  /** Number of pods. */
  replicas: number;
}

/** A predictor with its share of the requests. */
export interface SplitShare extends Omit<Share, "host"> {
  /** Name of its Service, in the namespace. */
  readonly service: string;
}

/** The user of Envoy's image. */
const user = 101;
const folder = "/etc/mlplatform";
const file = "envoy.json";

/** Seconds in which connections are closed, each with the answer to its next request. */
const drainSeconds = 10;

/**
 * Stands before the predictors of a model, and gives each its share of the requests, one by one: on kept connections
 * and in gRPC too. Shadows get copies, whose answers are dropped. Before a graph of units it gives it all of them, and
 * sends again what a pod that ends does not hear.
 *
 * Other shares are other pods. They are ready with the new shares before the former ones go, and a configuration that
 * Envoy refuses leaves the former ones in service.
 */
export class Splitter extends pulumi.ComponentResource {
  /** Labels of its pods. */
  public readonly selector: Readonly<Record<string, string>>;

  constructor(name: string, args: SplitterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { model, shares } = args;
    super("mlplatform:serving:Splitter", name, { model, shares: shares.map(inWords) }, opts);
    this.selector = { ...splitterLabels, "app.kubernetes.io/name": model };
    const config = this.createConfig(name, args);
    this.createPods(name, args, config);
    if (args.replicas > 1) {
      const pods = { address: `${model}-splitter`, namespace: args.namespace, selector: this.selector };
      createBudget(name, pods, 1, { parent: this });
    }
    this.registerOutputs({});
  }

  private createConfig(name: string, args: SplitterArgs): k8s.core.v1.ConfigMap {
    const { model, namespace, shares, graph } = args;
    const known = pulumi.all(
      shares.map(({ service, ...share }) =>
        serviceHost(service, namespace).apply((host) => ({ ...share, host })),
      ),
    );
    const text = known.apply((all) =>
      JSON.stringify(
        envoyConfig({ shares: all, main: mainPredictor, graph, ports: splitterPorts }),
        undefined,
        2,
      ),
    );
    const digest = text.apply((all) => createHash("sha256").update(all).digest("hex").slice(0, 8));
    return new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { name: pulumi.interpolate`${model}-splitter-${digest}`, namespace, labels: ownership },
        immutable: true,
        data: { [file]: text },
      },
      { parent: this },
    );
  }

  private createPods(
    name: string,
    { model, namespace, image, replicas }: SplitterArgs,
    config: k8s.core.v1.ConfigMap,
  ): void {
    const labels = { ...ownership, ...this.selector };
    const probe = { httpGet: { path: readyPath, port: "health" }, timeoutSeconds: 2 };
    new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: { name: `${model}-splitter`, namespace, labels },
        spec: {
          replicas,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          selector: { matchLabels: this.selector },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurity(user),
              terminationGracePeriodSeconds: drainSeconds + 15,
              containers: [
                {
                  name: "envoy",
                  image,
                  imagePullPolicy: "IfNotPresent",
                  command: [
                    ...["envoy", "--config-path", `${folder}/${file}`, "--log-level", "warn"],
                    // The image's way to hand connections on to another process, which nobody starts here.
                    ...["--disable-hot-restart", "--concurrency", "2"],
                    ...["--drain-time-s", String(drainSeconds), "--drain-strategy", "immediate"],
                  ],
                  ports: [
                    { name: "http", containerPort: splitterPorts.rest },
                    { name: "grpc", containerPort: splitterPorts.grpc },
                    { name: "health", containerPort: splitterPorts.health },
                  ],
                  resources: requirements(splitterResources),
                  securityContext: containerSecurity,
                  volumeMounts: [{ name: "config", mountPath: folder, readOnly: true }],
                  startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
                  readinessProbe: { ...probe, periodSeconds: 2, failureThreshold: 3 },
                  livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 3 },
                  lifecycle: {
                    preStop: {
                      exec: { command: ["bash", "-c", farewell(splitterPorts.admin, drainSeconds + 5)] },
                    },
                  },
                },
              ],
              volumes: [{ name: "config", configMap: { name: config.metadata.name } }],
            },
          },
        },
      },
      { parent: this },
    );
  }
}

function inWords({ name, percent, shadow }: SplitShare): string {
  return `${name} ${percent} %${shadow ? " as a shadow" : ""}`;
}

import { createHash } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../../../config/fields";
import { hostOf, ownership, requirements } from "../../kubernetes";
import type { ModelArgs, ModelUrls, PredictorArgs, ServedModel } from "../modelServer";
import { executorResources } from "./executor";
import { createBudget, createVersionBudget } from "./disruptionBudget";
import { Splitter } from "../splitter/splitter";
import { mainPredictor, splitterPods } from "../splitter/splits";
import { flatten, hasStandardServer, modelPod, toGraphUnit } from "./modelPod";
import {
  type PredictorSpec,
  describingUnit,
  modelLabel,
  predictorLabel,
  readiness,
  scaledSuffix,
  standardLabel,
  versionLabel,
} from "./seldonDeployment";

export interface ModelDeploymentArgs extends ModelArgs {
  /** Where it runs. */
  namespace: pulumi.Input<string>;
  /**
   * What has to be there before it, and on the way down until it is gone: the operator, images, trainings, secrets.
   *
   * Not by outputs: what flows into a SeldonDeployment's name or annotations would, when it is itself replaced, have
   * Pulumi remove the SeldonDeployment first, and nobody would answer for half a minute.
   */
  after: readonly pulumi.Resource[];
  /** Secret by which model files are fetched: {@link ModelNamespace.storageSecret}. */
  storageSecret: string;
  /** ConfigMap with what stands beside MLServer, where that runs: {@link ModelNamespace.serverFiles}. */
  serverFiles?: string | undefined;
  /**
   * Envoy's image, for the splitter in front of several predictors.
   * @default there is none: Istio splits the requests
   */
  splitterImage?: string | undefined;
  /**
   * Resources of Seldon's executor, which stands in the pods of graphs with several units.
   * @default {@link executorResources}
   */
  executor?: Resources;
}

/** Seldon's usual ports, which the address of every model has, and those behind it: of its executor, or of the only unit. */
const ports = { address: [8000, 5001], executor: [8000, 5001], unit: [9000, 9500] } as const;

/**
 * A model in service.
 *
 * A predictor's name in the SeldonDeployment ends with a hash of what it runs. Another version is therefore another
 * predictor to the operator, which removes the old pods when the new ones are ready, and not before. The Service in
 * front of them keeps its name and leads to both.
 *
 * Not so under autoscaling: there the operator begins each Deployment with one pod, and would remove all those that the
 * load has brought when that one is ready. So the name stays, and the operator has the Deployment renewed, which never
 * has fewer pods than before (`maxUnavailable` is 0).
 *
 * A graph of units is another SeldonDeployment than a single model, with other addresses: its pods listen on other ports.
 * A model that becomes a graph has both until the address of the model leads to the new one.
 */
export class ModelDeployment extends pulumi.ComponentResource implements ServedModel {
  public readonly urls: pulumi.Output<ModelUrls>;

  constructor(name: string, args: ModelDeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:serving:ModelDeployment", name, { model: args.model }, opts);
    const predictors = args.predictors.map((predictor) => predictorSpec(args, predictor));
    const deployment = new k8s.apiextensions.CustomResource(
      isGraph(args) ? `${name}-graph-seldon` : `${name}-seldon`,
      {
        apiVersion: "machinelearning.seldon.io/v1",
        kind: "SeldonDeployment",
        metadata: {
          name: resourceName(args),
          namespace: args.namespace,
          labels: { ...ownership, ...(isGraph(args) ? { [modelLabel]: args.model } : {}) },
          annotations: {
            "pulumi.com/waitFor": readiness(resourceName(args), predictors),
            // By default it would wait for its pods, and be changed when they are gone: Seldon's webhook is asked
            // about that, and where its operator is gone, the wait has no end.
            "pulumi.com/deletionPropagationPolicy": "background",
          },
        },
        spec: { protocol: args.protocol, predictors },
      },
      {
        parent: this,
        dependsOn: [...args.after],
        customTimeouts: { create: patience(args), update: patience(args) },
      },
    );
    const addresses = args.predictors.map((predictor) => this.createPredictorAddress(name, args, predictor));
    const budgets = args.predictors.flatMap((predictor, index) =>
      this.createBudget(name, args, predictor, predictors[index]?.annotations["version"], deployment),
    );
    // Under autoscaling a version is in service when its budget says so.
    const inService = [deployment, ...(args.autoscaling === undefined ? [] : budgets)];
    const splitter = this.createSplitter(name, args, [...inService, ...addresses]);
    const behind = splitter === undefined ? inService : [splitter];
    this.createModelAddress(name, args, behind, splitter?.selector);

    const ready = pulumi.all([...inService, ...behind].map(({ urn }) => urn));
    this.urls = pulumi.all([args.namespace, ready]).apply(([namespace]) => predictionUrls(args, namespace));
    this.registerOutputs({ urls: this.urls });
  }

  /** What gives each predictor its share. @returns none before a single model, or where Istio does that. */
  private createSplitter(
    name: string,
    args: ModelDeploymentArgs,
    behind: readonly pulumi.Resource[],
  ): Splitter | undefined {
    const { model, namespace, predictors, splitterImage, autoscaling } = args;
    if ((predictors.length === 1 && !isGraph(args)) || splitterImage === undefined) return undefined;
    const answering = predictors.filter(({ shadow = false }) => !shadow).length;
    // As Seldon's operator takes it: who answers alone, and a shadow without a share, get everything.
    const percentOf = ({ traffic = 0, shadow = false }: PredictorArgs) =>
      traffic === 0 && (shadow || answering === 1) ? 100 : traffic;
    return new Splitter(
      `${name}-splitter`,
      {
        model,
        namespace,
        image: splitterImage,
        replicas: splitterPods(mainOf(args).replicas, autoscaling),
        shares: predictors.map((predictor) => ({
          name: predictor.name,
          service: `${model}-${predictor.name}`,
          rest: ports.address[0],
          grpc: ports.address[1],
          percent: percentOf(predictor),
          shadow: predictor.shadow ?? false,
        })),
        graph: isGraph(args) ? { paths: graphPaths(args) } : undefined,
      },
      // No share for a predictor that has no pods yet; and what it leads to stays until it is gone.
      { parent: this, dependsOn: [...behind] },
    );
  }

  /**
   * The address of the model, whatever is behind it. It leads to a splitter, or to the pods of the only predictor, when
   * that is ready: until then to what was there before.
   *
   * @param behind what it leads to.
   * @param splitter labels of the splitter's pods, where there is one.
   */
  private createModelAddress(
    name: string,
    args: ModelDeploymentArgs,
    behind: pulumi.Resource[],
    splitter: Readonly<Record<string, string>> | undefined,
  ): void {
    if (isSplitElsewhere(args)) return;
    const main = mainOf(args);
    const [selector, at] =
      splitter === undefined ? [podsOf(args, main), portsBehind(main)] : [splitter, ports.address];
    this.createAddress(`${name}-service`, args, args.model, selector, at, behind);
  }

  /** An address that stays when the version of a predictor changes. */
  private createPredictorAddress(
    name: string,
    args: ModelDeploymentArgs,
    predictor: PredictorArgs,
  ): k8s.core.v1.Service {
    const address = `${args.model}-${predictor.name}`;
    const service = `${name}-${predictor.name}-service`;
    return this.createAddress(service, args, address, podsOf(args, predictor), portsBehind(predictor));
  }

  private createAddress(
    name: string,
    args: ModelDeploymentArgs,
    address: string,
    selector: Readonly<Record<string, string>>,
    [rest, grpc]: readonly [number, number],
    after: pulumi.Resource[] = [],
  ): k8s.core.v1.Service {
    const { namespace, predictors } = args;
    const overGrpc = predictors.every((predictor) => answersGrpc(args, predictor));
    return new k8s.core.v1.Service(
      name,
      {
        metadata: {
          name: address,
          namespace,
          labels: ownership,
          // The SeldonDeployment's own readiness is waited for; the endpoints come with it.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          type: "ClusterIP",
          selector,
          ports: [
            { name: "http", port: ports.address[0], targetPort: rest },
            ...(overGrpc ? [{ name: "grpc", port: ports.address[1], targetPort: grpc }] : []),
          ],
        },
      },
      { parent: this, dependsOn: after },
    );
  }

  /** A budget for the pods of a predictor. @returns none where none is asked for. */
  private createBudget(
    name: string,
    args: ModelDeploymentArgs,
    predictor: PredictorArgs,
    version = "",
    deployment: pulumi.Resource,
  ): k8s.policy.v1.PodDisruptionBudget[] {
    const { autoscaling, minAvailable, model, namespace } = args;
    const own = `${name}-${predictor.name}`;
    const pods = { address: `${model}-${predictor.name}`, namespace, selector: podsOf(args, predictor) };
    if (autoscaling !== undefined) {
      const wanted = { version, pods: autoscaling.minReplicas };
      const customTimeouts = { create: patience(args), update: patience(args) };
      return [
        createVersionBudget(own, pods, wanted, { parent: this, dependsOn: deployment, customTimeouts }),
      ];
    }
    return minAvailable === undefined ? [] : [createBudget(own, pods, minAvailable, { parent: this })];
  }
}

/** The predictor that answers where it is alone, and for others. */
function mainOf({ predictors }: ModelDeploymentArgs): PredictorArgs {
  const answering = predictors.filter(({ shadow = false }) => !shadow);
  const main = answering.find(({ name }) => name === mainPredictor) ?? answering[0];
  if (main === undefined) throw new Error("a model needs a predictor that answers");
  return main;
}

/** Whether it is a graph of units. One in front of another is no version of a single model, so a graph has one predictor. */
function isGraph(args: ModelDeploymentArgs): boolean {
  return !isSingle(mainOf(args));
}

/** Name of its SeldonDeployment. */
function resourceName(args: ModelDeploymentArgs): string {
  return isGraph(args) ? `${args.model}-graph` : args.model;
}

/**
 * The paths of a single model of this name, for clients that asked it before it was a graph. In the protocol v2 a graph is
 * asked without a name, which the executor would pass on to every node.
 */
function graphPaths(args: ModelDeploymentArgs): Readonly<Record<string, string>> {
  if (args.protocol === "seldon") return {};
  const of = (model: string) => `/v2/models/${model}`;
  return {
    [`${of(args.model)}/infer`]: "/v2/models/infer",
    [of(args.model)]: of(describingUnit(toGraphUnit(mainOf(args).graph, args.storageSecret)).name),
    [`${of(args.model)}/ready`]: "/v2/health/ready",
  };
}

/** Whether Istio splits the requests, at its gateway. */
function isSplitElsewhere({ predictors, splitterImage }: ModelDeploymentArgs): boolean {
  return predictors.length > 1 && splitterImage === undefined;
}

function portsBehind(predictor: PredictorArgs): readonly [number, number] {
  return isSingle(predictor) ? ports.unit : ports.executor;
}

/** The labels of a predictor's pods, whatever their version. */
function podsOf(args: ModelDeploymentArgs, { name }: PredictorArgs) {
  return { "seldon-deployment-id": resourceName(args), [predictorLabel]: name };
}

function predictorSpec(args: ModelDeploymentArgs, predictor: PredictorArgs): PredictorSpec {
  const { shadow = false, traffic = 0, replicas } = predictor;
  const runs = {
    graph: toGraphUnit(predictor.graph, args.storageSecret),
    componentSpecs: [{ spec: modelPod(predictor.graph, args.protocol, args.serverFiles) }],
    ...(isSingle(predictor)
      ? {}
      : { svcOrchSpec: { resources: requirements(args.executor ?? executorResources) } }),
  };
  const version = createHash("sha256").update(JSON.stringify(runs)).digest("hex").slice(0, 6);
  const scaled = args.autoscaling !== undefined;
  return {
    name: `${predictor.name}-${scaled ? scaledSuffix : version}`,
    ...(scaled ? {} : { replicas }),
    ...(args.predictors.length === 1 ? { traffic: 100 } : { traffic, shadow }),
    annotations: { version, ...(isSingle(predictor) ? { "seldon.io/no-engine": "true" } : {}) },
    labels: {
      [predictorLabel]: predictor.name,
      ...(scaled ? { [versionLabel]: version } : {}),
      ...(hasStandardServer(predictor.graph) ? standardLabel : {}),
    },
    ...runs,
    componentSpecs: runs.componentSpecs.map((component) => ({ ...autoscaler(args), ...component })),
  };
}

/**
 * A graph of one unit needs no executor, Seldon's container that walks the graph, in its pod. Without it a model is
 * ready some 20 seconds earlier, the operator's fixed delay, and no request is lost when a pod goes: the executor stops
 * listening as soon as it is told to stop, before all of the cluster has heard that the pod is no address any more.
 */
function isSingle({ graph }: PredictorArgs): boolean {
  return (graph.children ?? []).length === 0;
}

/**
 * Whether an address leads to gRPC. In the protocol v2 Seldon's executor ends with the first call to a unit that is no
 * model: `panic("implement me")` in its `api/grpc/kfserving/client.go` (1.17.1 to 1.19.0).
 */
function answersGrpc({ grpc, protocol }: ModelDeploymentArgs, { graph }: PredictorArgs): boolean {
  return grpc ?? (protocol === "seldon" || flatten(graph).every(({ type = "MODEL" }) => type === "MODEL"));
}

/** The slowest container may take its time, after images and model files have been fetched. */
function patience({ predictors }: ModelDeploymentArgs): string {
  const slowest = Math.max(
    ...predictors.flatMap(({ graph }) => flatten(graph).map((node) => node.startupSeconds)),
  );
  return `${10 + Math.ceil(slowest / 60)}m`;
}

function autoscaler({ autoscaling }: ModelDeploymentArgs) {
  if (autoscaling === undefined) return {};
  const { minReplicas, maxReplicas, cpuUtilization } = autoscaling;
  const target = { type: "Utilization", averageUtilization: cpuUtilization };
  return {
    hpaSpec: {
      minReplicas,
      maxReplicas,
      metricsv2: [{ type: "Resource", resource: { name: "cpu", target } }],
    },
  };
}

function predictionUrls(args: ModelDeploymentArgs, namespace: string): ModelUrls {
  const { model, predictors } = args;
  // What leads to a graph by the model's address knows the path of a single model, too.
  const named = isGraph(args) && args.splitterImage !== undefined ? model : unitName(mainOf(args));
  const urlOf = (address: string, unit: string | undefined) =>
    `http://${hostOf(address, namespace)}:${ports.address[0]}${predictionPath(args, unit)}`;
  return {
    ...(isSplitElsewhere(args) ? {} : { url: urlOf(model, named) }),
    predictors: Object.fromEntries(
      predictors.map((one) => [one.name, urlOf(`${model}-${one.name}`, unitName(one))]),
    ),
  };
}

/** The name by which the protocol v2 asks: none of a graph, where a name would be passed on to every node. */
function unitName(predictor: PredictorArgs): string | undefined {
  return isSingle(predictor) ? predictor.graph.name : undefined;
}

function predictionPath({ protocol }: ModelDeploymentArgs, unit: string | undefined): string {
  return protocol === "seldon"
    ? "/api/v1.0/predictions"
    : `/v2/models${unit === undefined ? "" : `/${unit}`}/infer`;
}

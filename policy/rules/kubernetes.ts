/** Where in Kubernetes resources the things stand that several rules ask for. */
import type { PolicyResource, Stack } from "./model";
import { at, join, list, object, text } from "./values";

/** The kind of a Kubernetes resource, such as `Secret`; undefined for any other resource. */
export function kindOf({ type }: PolicyResource): string | undefined {
  return type.startsWith("kubernetes:") ? type.split(":").at(-1) : undefined;
}

export const seldonDeployment = "kubernetes:machinelearning.seldon.io/v1:SeldonDeployment";
export const rootComponent = "mlplatform:platform:MlPlatform";

/** What the root component was told; empty if the stack has none. */
export function platformInputs({ resources }: Stack): Readonly<Record<string, unknown>> {
  return resources.find(({ type }) => type === rootComponent)?.props ?? {};
}

/** A pod as its creator asks for it. */
export interface Pod {
  readonly path: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Whether Seldon's operator completes it: it adds a container and a pod-wide security context of its own. */
  readonly completed: boolean;
  /** How many of it there are at least, as far as the resource says. */
  readonly replicas: unknown;
  /** What the container that is added to it asks for. @default none is added */
  readonly added?: unknown;
}

const podPaths: Readonly<Record<string, readonly string[]>> = {
  "core/v1:Pod": ["spec"],
  "core/v1:ReplicationController": ["spec", "template", "spec"],
  "apps/v1:DaemonSet": ["spec", "template", "spec"],
  "apps/v1:Deployment": ["spec", "template", "spec"],
  "apps/v1:ReplicaSet": ["spec", "template", "spec"],
  "apps/v1:StatefulSet": ["spec", "template", "spec"],
  "batch/v1:Job": ["spec", "template", "spec"],
  "batch/v1:CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
};

/** The pods that a resource of our own makes; a Helm release's are its chart's. */
export function pods(resource: PolicyResource): readonly Pod[] {
  if (resource.type === seldonDeployment) {
    return predictors(resource).flatMap(({ path, predictor }) =>
      list(predictor["componentSpecs"]).map((component, index) => ({
        path: join(join(join(path, "componentSpecs"), index), "spec"),
        spec: object(at(component, "spec")),
        completed: true,
        replicas: predictor["replicas"] ?? at(component, "hpaSpec", "minReplicas"),
        // The executor stands in the first pod of its graph.
        ...(index === 0 && { added: at(predictor, "svcOrchSpec", "resources", "requests") }),
      })),
    );
  }
  const keys = podPaths[resource.type.replace(/^kubernetes:/, "")];
  if (keys === undefined) return [];
  return [
    {
      path: keys.reduce(join, ""),
      spec: object(at(resource.props, ...keys)),
      completed: false,
      replicas: at(resource.props, "spec", "replicas"),
    },
  ];
}

export interface Predictor {
  readonly path: string;
  readonly predictor: Readonly<Record<string, unknown>>;
}

/** The predictors of a SeldonDeployment. */
export function predictors({ props }: PolicyResource): readonly Predictor[] {
  return list(at(props, "spec", "predictors")).map((predictor, index) => ({
    path: join("spec.predictors", index),
    predictor: object(predictor),
  }));
}

export interface Container {
  readonly path: string;
  readonly container: Readonly<Record<string, unknown>>;
  readonly pod: Pod;
}

/** The containers of a resource's pods, those that run first included. */
export function containers(resource: PolicyResource): readonly Container[] {
  return pods(resource).flatMap((pod) =>
    ["initContainers", "containers"].flatMap((key) =>
      list(pod.spec[key]).map((container, index) => ({
        path: join(join(pod.path, key), index),
        container: object(container),
        pod,
      })),
    ),
  );
}

/** A Helm release. */
export interface Release {
  /** The chart's name, without repository or folder. */
  readonly chart: string;
  readonly version: string | undefined;
  readonly namespace: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The resource as a Helm release; undefined if it is none. */
export function release({ type, props }: PolicyResource): Release | undefined {
  if (!/^kubernetes:helm\.sh\/v\d:(Release|Chart)$/.test(type)) return undefined;
  const file = (text(props["chart"]) ?? "").replace(/\/+$/, "").split("/").at(-1) ?? "";
  return {
    // Packed, a chart has its version in the name of its file.
    chart: file.replace(/-\d+\.\d+\.\d+[^/]*\.tgz$/, ""),
    version: text(props["version"]),
    namespace: text(props["namespace"]),
    values: object(props["values"]),
  };
}

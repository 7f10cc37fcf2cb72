/** What the pods of a stack ask their nodes for. */
import { chartFootprints } from "../../components/capabilities";
import { quantity } from "../../config/quantity";
import {
  kindOf,
  pods,
  predictors,
  release,
  type Release,
  seldonDeployment,
} from "../../policy/rules/kubernetes";
import type { PolicyResource } from "../../policy/rules/model";
import { at, isOn, list, text } from "../../policy/rules/values";
import { policyResources } from "./policy";
import type { Recording } from "./recording";

/** CPU in thousandths of a core, memory in bytes. */
export interface Amount {
  readonly cpu: number;
  readonly memory: number;
}

/** Pods that are all alike. */
export interface PodRequest {
  /** Who makes them: `Job minio-setup`, `Release mlflow`. */
  readonly maker: string;
  readonly pods: number;
  /** What each of them asks for. */
  readonly each: Amount;
  /** Whether they run to an end, and then give back what they had. */
  readonly ends: boolean;
}

/** What the pods of a stack ask for, by the resource that makes them. */
export function requestsOf(recording: Recording): PodRequest[] {
  return policyResources(recording).flatMap((resource) => {
    if (resource.type === seldonDeployment) return predictorRequests(resource);
    const installed = release(resource);
    if (installed !== undefined) return chartRequests(resource, installed);
    return pods(resource).map(({ spec }) => ({
      maker: makerOf(resource),
      pods: count(at(resource.props, "spec", "replicas")) ?? 1,
      each: podAmount(spec),
      ends: kindOf(resource) === "Job",
    }));
  });
}

/** What a pod asks for. What runs before its containers only counts where it asks for more than they do together. */
export function podAmount(spec: unknown): Amount {
  const amounts = (key: string) =>
    list(at(spec, key)).map((container) => amountOf(at(container, "resources", "requests")));
  const together = sum(amounts("containers"));
  const before = amounts("initContainers");
  return {
    cpu: Math.max(together.cpu, ...before.map(({ cpu }) => cpu)),
    memory: Math.max(together.memory, ...before.map(({ memory }) => memory)),
  };
}

/** An amount as Kubernetes writes it: `{ cpu: "250m", memory: "1Gi" }`. What is missing is nothing. */
export function amountOf(requests: unknown): Amount {
  return {
    cpu: Math.round(amountIn(at(requests, "cpu")) * 1000),
    memory: amountIn(at(requests, "memory")),
  };
}

/** All of several amounts. */
export function sum(amounts: readonly Amount[]): Amount {
  return {
    cpu: amounts.reduce((all, { cpu }) => all + cpu, 0),
    memory: amounts.reduce((all, { memory }) => all + memory, 0),
  };
}

/** Of how many pods of each predictor the operator makes a Deployment, and what stands in each beside the model. */
function predictorRequests(resource: PolicyResource): PodRequest[] {
  return predictors(resource).flatMap(({ predictor }) => {
    const executor = amountOf(at(predictor, "svcOrchSpec", "resources", "requests"));
    return list(predictor["componentSpecs"]).map((component, index) => ({
      maker: makerOf(resource),
      pods: count(predictor["replicas"]) ?? count(at(component, "hpaSpec", "minReplicas")) ?? 1,
      // The executor stands in the first pod of its graph.
      each: sum([podAmount(at(component, "spec")), ...(index === 0 ? [executor] : [])]),
      ends: false,
    }));
  });
}

/** What the pods of a chart ask for, where its footprint says that it stands. */
function chartRequests(resource: PolicyResource, { chart, values }: Release): PodRequest[] {
  const { resources = [], replicas = [] } = chartFootprints[chart] ?? {};
  const own = resources.filter(
    ({ where, elsewhere = false }) => !elsewhere && (where === undefined || isOn(at(values, ...where))),
  );
  const each = own.map(({ at: place, keys: [cpu, memory] }) =>
    amountOf({ cpu: at(values, ...place, ...cpu), memory: at(values, ...place, ...memory) }),
  );
  const pods = count(at(values, ...replicas)) ?? 1;
  return [{ maker: makerOf(resource), pods, each: sum(each), ends: false }];
}

function makerOf(resource: PolicyResource): string {
  const name = text(at(resource.props, "metadata", "name")) ?? text(resource.props["name"]) ?? resource.name;
  return `${kindOf(resource) ?? resource.type} ${name}`;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** 0 if it is missing or none. */
function amountIn(value: unknown): number {
  return quantity(typeof value === "number" ? String(value) : (text(value) ?? "")) ?? 0;
}

/** What the pods of a stack ask their nodes for. */
import { chartFootprints } from "../../components/capabilities";
import { quantity } from "../../config/quantity";
import { kindOf, pods, release, type Release } from "../../policy/rules/kubernetes";
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
    const installed = release(resource);
    if (installed !== undefined) return chartRequests(resource, installed);
    return pods(resource).map(({ spec, replicas, added }) => ({
      maker: makerOf(resource),
      pods: count(replicas) ?? 1,
      each: sum([podAmount(spec), amountOf(added)]),
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

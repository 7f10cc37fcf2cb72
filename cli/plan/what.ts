import { at, list, object, text } from "../../policy/rules/values";
import { backend } from "../serving/backend";
import { type RecordedResource, isProvider, kindOf } from "./recording";

type Inputs = RecordedResource["inputs"];

/** By kind, what a reader wants to know of a resource at a glance. */
const descriptions: Readonly<Record<string, (inputs: Inputs) => string>> = {
  Release: (inputs) => {
    const chart = textAt(inputs, "chart")?.split("/").at(-1) ?? "";
    return `chart ${[chart, textAt(inputs, "version")].filter(Boolean).join(" ")} → ${textAt(inputs, "namespace") ?? "default"}`;
  },
  Namespace: (inputs) =>
    facts(
      textAt(inputs, "metadata", "name"),
      textAt(inputs, "metadata", "labels", "pod-security.kubernetes.io/enforce"),
    ),
  Secret: (inputs) =>
    facts(place(inputs), [...keysAt(inputs, "stringData"), ...keysAt(inputs, "data")].join(", ")),
  ConfigMap: (inputs) => facts(place(inputs), keysAt(inputs, "data").join(", ")),
  Service: (inputs) => {
    const ports = listAt(inputs, "spec", "ports").map((port) => String(at(port, "port")));
    return facts(place(inputs), textAt(inputs, "spec", "type"), ports.join(", "));
  },
  Job: (inputs) => facts(place(inputs), imagesOfPod(at(inputs, "spec", "template", "spec"))),
  CronJob: (inputs) =>
    facts(
      place(inputs),
      textAt(inputs, "spec", "schedule"),
      imagesOfPod(at(inputs, "spec", "jobTemplate", "spec", "template", "spec")),
    ),
  Deployment: workload,
  StatefulSet: workload,
  [backend.kind]: (inputs) => facts(place(inputs), ...backend.facts(inputs)),
  ResourceQuota: (inputs) => {
    const hard = at(inputs, "spec", "hard");
    return facts(
      place(inputs),
      keysAt(hard)
        .map((key) => `${key} ${String(at(hard, key))}`)
        .join(", "),
    );
  },
  RandomPassword: (inputs) => `${String(inputs["length"])} characters, generated once`,
  Image: (inputs) => textAt(inputs, "imageName") ?? "",
  Provider: (inputs) => {
    const context = textAt(inputs, "context");
    return context === undefined ? "" : `context ${context}`;
  },
};

/** What a resource is, in a few words; empty if its name says it. */
export function whatOf(resource: RecordedResource): string {
  if (!resource.custom && !isProvider(resource)) return "";
  const describe = descriptions[kindOf(resource)] ?? place;
  const marks = [
    resource.options.protect === true && "protected",
    resource.options.retainOnDelete === true && "kept on destroy",
    resource.read !== undefined && "only read",
  ].filter((mark) => mark !== false);
  return facts(describe(resource.inputs), ...marks);
}

function workload(inputs: Inputs): string {
  const replicas = at(inputs, "spec", "replicas");
  return facts(
    place(inputs),
    imagesOfPod(at(inputs, "spec", "template", "spec")),
    typeof replicas === "number" ? `${replicas} replica${replicas === 1 ? "" : "s"}` : undefined,
  );
}

/** Namespace and name of a Kubernetes object. */
function place(inputs: Inputs): string {
  return [textAt(inputs, "metadata", "namespace"), textAt(inputs, "metadata", "name")]
    .filter((part) => part !== undefined)
    .join("/");
}

function imagesOfPod(pod: unknown): string {
  return listAt(pod, "containers")
    .map((container) => textAt(container, "image"))
    .filter((image) => image !== undefined)
    .join(", ");
}

function facts(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" · ");
}

function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  return text(at(value, ...keys));
}

function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  return list(at(value, ...keys));
}

function keysAt(value: unknown, ...keys: readonly string[]): readonly string[] {
  return Object.keys(object(at(value, ...keys))).sort();
}

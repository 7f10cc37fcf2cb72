import { containerSecurity, fromSecret, podSecurity, requirements, scratch } from "../../kubernetes";
import type { GraphNode, Protocol } from "../modelServer";
import { type GraphUnit, unitParameters } from "./seldonDeployment";

/** The user that Seldon's operator runs its pods as. */
const user = 8888;

/** A node and those behind it, as the operator takes a graph. */
export function toGraphUnit(node: GraphNode, storageSecret: string): GraphUnit {
  const { name, type = "MODEL", server, modelUri } = node;
  const parameters = unitParameters(node.parameters ?? {});
  const children = (node.children ?? []).map((child) => toGraphUnit(child, storageSecret));
  return {
    name,
    type,
    ...(server === undefined ? {} : { implementation: server }),
    ...(modelUri === undefined ? {} : { modelUri, envSecretRefName: storageSecret }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(children.length === 0 ? {} : { children }),
  };
}

/** The pod that runs all nodes of a graph. */
export function modelPod(graph: GraphNode, protocol: Protocol) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurity(user),
    containers: flatten(graph).map((node) => container(node, protocol)),
    volumes: scratch.volumes,
  };
}

/** A node and all those behind it. */
export function flatten(node: GraphNode): GraphNode[] {
  return [node, ...(node.children ?? []).flatMap(flatten)];
}

function container(node: GraphNode, protocol: Protocol) {
  return {
    name: node.name,
    image: node.image,
    imagePullPolicy: "IfNotPresent",
    env: [
      { name: "HOME", value: "/tmp" },
      ...(node.server === undefined ? [] : serverVariables),
      ...Object.keys(node.environment ?? {})
        .sort()
        .flatMap((name) => {
          const from = node.environment?.[name];
          return from === undefined ? [] : [fromSecret(name, from.secret, from.key)];
        }),
    ],
    resources: requirements(node.resources),
    securityContext: containerSecurity,
    volumeMounts: scratch.volumeMounts,
    ...probes(node, protocol),
  };
}

/** Where MLServer writes, which is else below its read-only home. */
const serverVariables = [
  { name: "MLSERVER_ENVIRONMENTS_DIR", value: "/tmp" },
  { name: "MLSERVER_METRICS_DIR", value: "/tmp" },
  // One process: a small model gains nothing by several, and each holds a copy of it.
  { name: "MLSERVER_PARALLEL_WORKERS", value: "0" },
];

/** Where a server says that it lives, and that its model is loaded. */
const health = {
  seldon: { live: "/health/ping", ready: "/health/ping" },
  v2: { live: "/v2/health/live", ready: "/v2/health/ready" },
};

/**
 * The operator waits 20 seconds before it first asks, and a server is ready after two or three. The startup probe
 * keeps the liveness probe away until then.
 */
function probes({ startupSeconds }: GraphNode, protocol: Protocol) {
  const ask = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 2 });
  const { live, ready } = health[protocol];
  return {
    startupProbe: { ...ask(live), periodSeconds: 1, failureThreshold: startupSeconds },
    readinessProbe: { ...ask(ready), periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...ask(live), periodSeconds: 10, failureThreshold: 3 },
  };
}

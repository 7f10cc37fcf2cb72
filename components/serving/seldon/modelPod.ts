import { answersVariable } from "../../../config/answers";
import { checksumsText, checksumsVariable } from "../../../config/checksums";
import type { Protocol } from "../../../config/servers";
import { containerSecurity, fromSecret, podSecurity, requirements, scratch } from "../../kubernetes";
import type { GraphNode } from "../modelServer";
import { podSettings, standardServer } from "../standardServer";
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

/** Whether one of Seldon's standard servers runs a node of the graph: MLServer. */
export function hasStandardServer(graph: GraphNode): boolean {
  return flatten(graph).some(({ server }) => server !== undefined);
}

/**
 * The pod that runs all nodes of a graph.
 *
 * @param files name of the ConfigMap with what stands beside MLServer, where {@link hasStandardServer}.
 */
export function modelPod(graph: GraphNode, protocol: Protocol, files?: string) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurity(user),
    containers: flatten(graph).map((node) => container(node, protocol)),
    volumes: [
      ...scratch.volumes,
      ...(hasStandardServer(graph) ? [{ name: standardServer.package, configMap: { name: files } }] : []),
    ],
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
      // No ConfigMap: as a part of the pod it is there as long as the pod is, whatever is deployed meanwhile.
      ...(node.sha256 === undefined ? [] : [{ name: checksumsVariable, value: checksumsText(node.sha256) }]),
      ...(node.answers === undefined ? [] : [{ name: answersVariable, value: node.answers }]),
      ...(node.server === undefined ? [] : serverVariables),
      ...Object.keys(node.environment ?? {})
        .sort()
        .flatMap((name) => {
          const from = node.environment?.[name];
          return from === undefined ? [] : [fromSecret(name, from.secret, from.key)];
        }),
    ],
    resources: requirements(node.resources),
    // The files of MLServer's image are readable for its own user, and for this group.
    securityContext: { ...containerSecurity, ...(node.server === undefined ? {} : { runAsGroup: 0 }) },
    volumeMounts: [
      ...scratch.volumeMounts,
      ...(node.server === undefined
        ? []
        : [{ name: standardServer.package, mountPath: standardServer.folder, readOnly: true }]),
    ],
    ...probes(node, protocol),
    // Before SIGTERM; that of a model's own server is the operator's.
    ...(node.server === undefined
      ? {}
      : {
          lifecycle: { preStop: { exec: { command: ["python", `${standardServer.folder}/farewell.py`] } } },
        }),
  };
}

const serverVariables = Object.entries(podSettings).map(([name, value]) => ({ name, value }));

/** Where a server says that it lives, and that its model is loaded. */
const health = {
  seldon: { live: "/health/ping", ready: "/health/ping" },
  v2: { live: "/v2/health/live", ready: "/v2/health/ready" },
};

/**
 * The operator waits 20 seconds before it first asks, and a server is ready after two or three. The startup probe
 * keeps the liveness probe away until then. Our own server listens when it has answered the rows of its training as
 * they were recorded; MLServer's answers are compared by the probe.
 */
function probes({ server, startupSeconds }: GraphNode, protocol: Protocol) {
  const ask = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 2 });
  const { live, ready } = health[protocol];
  return {
    startupProbe:
      server === undefined
        ? { ...ask(live), periodSeconds: 1, failureThreshold: startupSeconds }
        : {
            exec: { command: ["python", `${standardServer.folder}/startup.py`] },
            timeoutSeconds: 10,
            periodSeconds: 2,
            failureThreshold: Math.ceil(startupSeconds / 2),
          },
    readinessProbe: { ...ask(ready), periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...ask(live), periodSeconds: 10, failureThreshold: 3 },
  };
}

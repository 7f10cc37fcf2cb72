/** What network policies are written with. */
import type * as k8s from "@pulumi/kubernetes";

import type { NetworkPolicySpec } from "../footprint";
import { roleLabel } from "../roles";

type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

/** Who is talked to, on which TCP ports. */
export interface Flow {
  readonly peers: readonly Peer[];
  readonly ports: readonly number[];
}

/** Addresses outside the cluster. For some network plugins pods are not among them. */
export const anywhere: readonly Peer[] = ["0.0.0.0/0", "::/0"].map((cidr) => ({ ipBlock: { cidr } }));
export const anyPod: Peer = { namespaceSelector: {} };
/** The pods of the policy's own namespace. */
export const within: Peer = { podSelector: {} };

/** Nothing in, nothing out but questions for addresses. */
export const denied: NetworkPolicySpec = {
  podSelector: {},
  policyTypes: ["Ingress", "Egress"],
  egress: [
    {
      to: [{ namespaceSelector: named("kube-system") }],
      ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 })),
    },
  ],
};

/** The pods of a namespace. @param roles of its Jobs, where they alone are meant. */
export function from(name: string, ports: readonly number[], roles?: readonly string[]): Flow {
  const pods = roles === undefined ? {} : { podSelector: jobsOf(roles) };
  return { peers: [{ namespaceSelector: named(name), ...pods }], ports };
}

/** The pods of Jobs, by their roles. */
export function jobsOf(roles: readonly string[]) {
  return { matchExpressions: [{ key: roleLabel, operator: "In", values: [...roles] }] };
}

export function ingress(...flows: readonly Flow[]): NetworkPolicySpec {
  const rules = flows.map(({ peers, ports }) => ({ from: [...peers], ports: tcp(ports) }));
  return { podSelector: {}, policyTypes: ["Ingress"], ingress: rules };
}

export function egress(...flows: readonly Flow[]): NetworkPolicySpec {
  const rules = flows.map(({ peers, ports }) => ({ to: [...peers], ports: tcp(ports) }));
  return { podSelector: {}, policyTypes: ["Egress"], egress: rules };
}

export function tcp(ports: readonly number[]) {
  return ports.map((port) => ({ protocol: "TCP", port }));
}

/** The port of an address; that of AWS if there is none. */
export function portOf(address: string | undefined): number {
  const url = new URL(address ?? "https://s3.amazonaws.com");
  return url.port === ""
    ? { "http:": 80, "https:": 443 }[url.protocol as "http:" | "https:"]
    : Number(url.port);
}

function named(name: string) {
  return { matchLabels: { "kubernetes.io/metadata.name": name } };
}

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";

import type { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";

import { readText } from "../../config/readText";
import { messageOf } from "../errors";
import { systemFailure } from "../systemFailure";

/** Who runs a cluster, as far as its context tells; `remote` is every other one, also behind a tunnel on this machine. */
export type ClusterKind =
  "docker-desktop" | "k3d" | "kind" | "minikube" | "orbstack" | "rancher-desktop" | "remote";

/** A context of the user's kubeconfig. */
export interface Context {
  readonly name: string;
  readonly kind: ClusterKind;
  /** minikube's profile, or the name that kind or k3d know the cluster by; else the context's name. */
  readonly profile: string;
  /** Address of the API server. */
  readonly server: string;
}

/** The user's kubeconfig: one file, or several that are merged as kubectl does. */
export interface Kubeconfig {
  readonly contexts: readonly Context[];
  /** The one that kubectl would use; undefined if the kubeconfig names none, or one that it does not have. */
  readonly current: Context | undefined;
  /** With credentials, for connections. */
  readonly raw: KubeConfig;
}

/** Why there is no kubeconfig to go by. */
export interface NoKubeconfig {
  readonly reason: string;
}

/** What the client calls the cluster that it makes up where there is no kubeconfig. */
const madeUp = "loaded-context";

/** Reads the kubeconfig that kubectl would read. */
export async function readKubeconfig(): Promise<Kubeconfig | NoKubeconfig> {
  const files = kubeconfigFiles();
  if (files.length === 0 && process.env["KUBERNETES_SERVICE_HOST"] === undefined)
    return { reason: "no kubeconfig names one" };
  // Loaded here because it takes more than a second, which only those who have a kubeconfig need to wait for.
  const client = await import("@kubernetes/client-node");
  const raw = new client.KubeConfig();
  try {
    if (files.length > 0) loadMerged(raw, files, () => new client.KubeConfig());
    else raw.loadFromDefault();
  } catch (error) {
    const [line = ""] = messageOf(error).split("\n", 1);
    return { reason: `the kubeconfig cannot be read: ${line}` };
  }
  // Without a kubeconfig the client makes up a cluster at localhost:8080, as kubectl does.
  const named = raw.getCurrentContext();
  if (named === madeUp || (named === "" && raw.getContexts().length === 0))
    return { reason: "no kubeconfig names one" };
  const contexts = raw.getContexts().flatMap(({ name, cluster }) => {
    const server = raw.getCluster(cluster)?.server;
    return server === undefined ? [] : [contextOf(name, cluster, server)];
  });
  const current = contexts.find(({ name }) => name === named);
  return { contexts, current, raw };
}

/** The files that kubectl would read, as far as they exist. */
function kubeconfigFiles(): string[] {
  const named = (process.env["KUBECONFIG"] ?? "").split(path.delimiter).filter((file) => file !== "");
  const files = named.length > 0 ? named : [path.join(homedir(), ".kube", "config")];
  return files.filter((file) => existsSync(file));
}

/** Merges files as kubectl does: of two things with the same name the first counts. The client itself refuses two. */
function loadMerged(into: KubeConfig, files: readonly string[], empty: () => KubeConfig): void {
  const all = files.map((file) => {
    const one = empty();
    try {
      const content = readText(file);
      // kubectl leaves out what is empty, or has comments alone; a tool may have begun it, to fill it later.
      if (parse(content) === null) return one;
      one.loadFromString(content);
    } catch (error) {
      throw new Error(systemFailure(error, file) ?? `${file}: ${messageOf(error)}`, { cause: error });
    }
    one.makePathsAbsolute(path.dirname(file));
    return one;
  });
  const firsts = <T extends { readonly name: string }>(things: readonly T[]) =>
    things.filter(({ name }, index) => things.findIndex((other) => other.name === name) === index);
  into.loadFromOptions({
    clusters: firsts(all.flatMap((one) => one.getClusters())),
    users: firsts(all.flatMap((one) => one.getUsers())),
    contexts: firsts(all.flatMap((one) => one.getContexts())),
    currentContext: all.map((one) => one.getCurrentContext()).find(Boolean) ?? "",
  });
}

/** Tells a context's kind by the names that each tool gives its clusters. */
export function contextOf(name: string, cluster: string, server: string): Context {
  const { kind, profile } = kindOf(name, cluster);
  // Whatever its name: what does not listen on this machine, or in a network of its own on it, is not local.
  return isNear(server) ? { name, kind, profile, server } : { name, kind: "remote", profile: name, server };
}

function kindOf(name: string, cluster: string): { kind: ClusterKind; profile: string } {
  if (cluster.startsWith("kind-")) return { kind: "kind", profile: cluster.slice("kind-".length) };
  if (cluster.startsWith("k3d-")) return { kind: "k3d", profile: cluster.slice("k3d-".length) };
  const fixed = (["docker-desktop", "orbstack", "rancher-desktop"] as const).find((one) => one === cluster);
  if (fixed !== undefined) return { kind: fixed, profile: name };
  // minikube calls context and cluster alike, by the profile; its certificates tell other profiles from strangers.
  return cluster === "minikube" || existsSync(path.join(minikubeHome(), "profiles", cluster))
    ? { kind: "minikube", profile: cluster }
    : { kind: "remote", profile: name };
}

function minikubeHome(): string {
  const home = process.env["MINIKUBE_HOME"];
  if (home === undefined) return path.join(homedir(), ".minikube");
  return path.basename(home) === ".minikube" ? home : path.join(home, ".minikube");
}

/** An address of this machine, or a private one, such as that of a virtual machine or a container on it. */
function isNear(server: string): boolean {
  if (!URL.canParse(server)) return false;
  const { hostname } = new URL(server);
  return /^(localhost|127\.|0\.0\.0\.0|\[::1\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|.*\.(internal|local|localhost)$)/.test(
    hostname,
  );
}

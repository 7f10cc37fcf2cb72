import type { V1Pod } from "@kubernetes/client-node";

import { clusterSize } from "../cluster/create";
import type { Live } from "../cluster/cluster";
import type { Context } from "../cluster/kubeconfig";
import { type LiveNode, isReserved, nodeName, notReady } from "../cluster/nodes";
import { type Amount, type PodRequest, amountOf, podAmount, requestsOf, sum } from "../plan/requests";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { ownNamespaces } from "./planned";
import { error, type Finding, warning } from "../../finding";
import { listed } from "../../config/words";

export const room: Check<Inspection> = {
  subject: "the cluster's CPU and memory",
  asks: "whether the nodes run, and have the CPU and the memory that the stack asks for",
  async find({ plan, target, deployed, nodes, pods }) {
    const own = deployed ? ownNamespaces(plan.recording) : [];
    const others = (await pods()).filter(({ metadata }) => !own.includes(metadata?.namespace ?? ""));
    return roomProblems(await nodes(), others, requestsOf(plan.recording), target);
  },
};

/** A node that takes pods. */
interface Room {
  readonly whole: Amount;
  readonly free: Amount;
}

/**
 * @param others pods that have nothing to do with what is asked for.
 * @param asked what the stack's pods ask for.
 */
export function roomProblems(
  nodes: readonly LiveNode[],
  others: readonly Live<V1Pod>[],
  asked: readonly PodRequest[],
  { context, stack }: { readonly context: Context; readonly stack: string },
): Finding[] {
  const down = nodes.filter((node) => notReady(node) !== undefined);
  const usable = nodes.filter((node) => notReady(node) === undefined && !isReserved(node));
  const states = listed(down.map((node) => `${nodeName(node)} is not ready (${notReady(node) ?? ""})`));
  const look = `Look why: kubectl --context ${context.name} describe node ${down.map(nodeName).join(" ")}`;
  if (usable.length === 0)
    return down.length > 0
      ? [error(`no node takes pods: ${states}`, `Wait a minute, if it has just been started. ${look}`)]
      : [
          error(
            "no node takes pods: all are cordoned or tainted",
            `Free one: kubectl --context ${context.name} uncordon NODE, or remove the taint`,
          ),
        ];
  const rooms = usable.map((node) => roomOf(node, others));
  return [
    ...(down.length > 0 ? [warning(states, look)] : []),
    ...shortages(rooms, asked, `${moreRoom(context)}; or ask for less in Pulumi.${stack}.yaml`),
  ];
}

function roomOf(node: LiveNode, pods: readonly Live<V1Pod>[]): Room {
  const whole = amountOf(node.status?.allocatable);
  const taken = sum(
    pods.filter(({ spec }) => spec?.nodeName === nodeName(node)).map(({ spec }) => podAmount(spec)),
  );
  return { whole, free: { cpu: whole.cpu - taken.cpu, memory: whole.memory - taken.memory } };
}

/** Too little for all together, or else for one pod by itself. */
function shortages(rooms: readonly Room[], asked: readonly PodRequest[], mend: string): Finding[] {
  const needed = atOnce(asked);
  const whole = sum(rooms.map((one) => one.whole));
  const free = sum(rooms.map((one) => one.free));
  const nodes = rooms.length === 1 ? "1 node" : `${rooms.length} nodes`;
  const short = (["cpu", "memory"] as const).filter((kind) => needed[kind] > free[kind]);
  if (short.length > 0)
    return short.map((kind) =>
      error(
        `the stack asks for ${shown(kind, needed)}, and the cluster has ${shown(kind, free)} left ` +
          `(of ${shown(kind, whole)} on ${nodes}; other pods have the rest)`,
        mend,
      ),
    );
  return asked
    .filter(({ pods }) => pods > 0)
    .filter(({ each }) => !rooms.some(({ free }) => each.cpu <= free.cpu && each.memory <= free.memory))
    .map(({ maker, each }) =>
      error(
        `a pod of ${maker} asks for ${shown("cpu", each)} and ${shown("memory", each)}, and none of ${nodes} has ` +
          "that much left",
        mend,
      ),
    );
}

/** What certainly runs side by side: jobs may come one after the other. */
function atOnce(asked: readonly PodRequest[]): Amount {
  const lasting = sum(
    asked
      .filter(({ ends }) => !ends)
      .map(({ pods, each }) => ({ cpu: pods * each.cpu, memory: pods * each.memory })),
  );
  const jobs = asked.filter(({ ends }) => ends).map(({ each }) => each);
  return {
    cpu: lasting.cpu + Math.max(0, ...jobs.map(({ cpu }) => cpu)),
    memory: lasting.memory + Math.max(0, ...jobs.map(({ memory }) => memory)),
  };
}

function shown(kind: keyof Amount, amount: Amount): string {
  if (kind === "memory") return `${rounded(amount.memory / 2 ** 30)} GiB`;
  const cpus = rounded(amount.cpu / 1000);
  return cpus === 1 ? "1 CPU" : `${cpus} CPUs`;
}

/** To two digits, so that what is a little short does not look like enough. */
function rounded(value: number): number {
  return Math.max(0, Math.round(value * 100) / 100);
}

function moreRoom({ kind, profile }: Context): string {
  const { cpus, memoryGiB } = clusterSize;
  const enough = `${cpus} CPUs and ${memoryGiB} GiB`;
  switch (kind) {
    case "minikube": {
      const named = profile === "minikube" ? "" : ` -p ${profile}`;
      return (
        `Make a larger one (what is in it is lost): minikube delete${named}, then ` +
        `minikube start${named} --cpus=${cpus} --memory=${memoryGiB}g`
      );
    }
    case "docker-desktop":
      return `Give Docker Desktop ${enough}: Settings > Resources`;
    case "orbstack":
      return `Give OrbStack ${enough}: Settings > System`;
    case "rancher-desktop":
      return `Give Rancher Desktop ${enough}: Preferences > Virtual Machine`;
    case "kind":
    case "k3d":
      return `Give the machine that Docker runs on ${enough}, or stop other things in the cluster`;
    case "remote":
      return "Add a node, or stop other things in the cluster";
  }
}

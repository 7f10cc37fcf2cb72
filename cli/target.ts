import { type Cluster, reach } from "./cluster/cluster";
import { type ClusterKind, type Context, type Kubeconfig, readKubeconfig } from "./cluster/kubeconfig";
import { keptContext } from "./engine/settings";
import { UserError } from "./errors";
import { readStackConfig } from "./plan/stackFiles";

/** What the user has said of the target. */
export interface TargetOptions {
  /** @default a cluster if one may be used and answers, else this machine */
  readonly target?: "cluster" | "local" | undefined;
  /** @default dev */
  readonly stack?: string | undefined;
  /** Context of the kubeconfig. @default the stack's; for dev also the current one, if its cluster is local */
  readonly context?: string | undefined;
}

/** A stack in a cluster that answers. */
export interface ClusterTarget {
  readonly kind: "cluster";
  readonly stack: string;
  readonly context: Context;
  readonly cluster: Cluster;
  /** The cluster's version, `v1.34.4`. */
  readonly version: string;
  /** Why this one, to stand behind a colon. */
  readonly reason: string;
}

/** Processes of this machine. */
export interface LocalTarget {
  readonly kind: "local";
  readonly reason: string;
}

/** The stack that is meant where none is named. */
export const defaultStack = "dev";

/** What people call each kind of cluster. */
export const clusterTitles: Readonly<Record<ClusterKind, string>> = {
  "docker-desktop": "Docker Desktop",
  k3d: "k3d",
  kind: "kind",
  minikube: "minikube",
  orbstack: "OrbStack",
  "rancher-desktop": "Rancher Desktop",
  remote: "a remote cluster",
};

/**
 * Whether the user wants processes of this machine.
 *
 * @throws UserError a stack or a cluster is named too, which these have not.
 */
export function isLocal({ target, stack, context }: TargetOptions): boolean {
  if (target !== "local") return false;
  const named = [stack === undefined ? [] : "--stack", context === undefined ? [] : "--context"].flat();
  if (named.length === 0) return true;
  throw new UserError(
    `--target local means processes of this machine, which have no stack and no cluster: leave ${named.join(" and ")} ` +
      `out, or --target local.`,
  );
}

/** A context to use, and why; or why there is none. */
type Choice = { readonly context: Context; readonly reason: string } | { readonly refusal: string };

/**
 * Chooses the target: the cluster that the user or the stack names, for dev also the current context's if it is on
 * this machine, else processes of this machine. A remote cluster is never touched unless it is named.
 *
 * @throws UserError what the user has named is not there or does not answer, or the stack's own cluster does not.
 */
export async function chooseTarget(options: TargetOptions): Promise<ClusterTarget | LocalTarget> {
  if (isLocal(options)) return { kind: "local", reason: "asked for" };
  const stack = options.stack ?? defaultStack;
  const { config, project } = readStackConfig(stack);
  // Whoever names one of these wants a cluster, and processes of this machine are no answer.
  const wanted = options.target === "cluster" || options.stack !== undefined || options.context !== undefined;
  const deployed = keptContext(stack);
  const kubeconfig = await readKubeconfig();
  const fall = (reason: string, mend: string): LocalTarget => {
    if (!wanted && deployed === undefined) return { kind: "local", reason };
    const forget = `npm run down -- ${stack === defaultStack ? "" : `--stack ${stack} `}--forget`;
    const gone = deployed === undefined ? "" : `. If its cluster is gone for good: ${forget}`;
    throw new UserError(`stack ${stack} cannot be reached: ${reason}. ${mend}${gone}`);
  };
  if ("reason" in kubeconfig)
    return fall(
      `there is no Kubernetes cluster (${kubeconfig.reason})`,
      "Start one, such as: minikube start",
    );

  const choice = chooseContext(kubeconfig, stack, {
    asked: options.context,
    deployed,
    written: config[`${project}:context`],
    dev: (config[`${project}:environment`] ?? stack) === "dev",
  });
  if ("refusal" in choice) return fall(choice.refusal, "Name the one that is meant: --context NAME");
  const { context, reason } = choice;
  const found = await reach(kubeconfig, context);
  if (found.state === "silent")
    return fall(
      `the cluster of context ${context.name} does not answer (${found.reason})`,
      `Start it${startCommand(context)}, or name another context: --context NAME`,
    );
  return { kind: "cluster", stack, context, cluster: found.cluster, version: found.version, reason };
}

/**
 * The stack's cluster, for commands that need one.
 *
 * @throws UserError there is none that may be used and answers.
 */
export async function clusterTarget(options: TargetOptions): Promise<ClusterTarget> {
  const target = await chooseTarget({ ...options, target: "cluster" });
  if (target.kind === "local") throw new Error("a cluster was asked for");
  return target;
}

function chooseContext(
  { contexts, current, raw }: Kubeconfig,
  stack: string,
  names: {
    asked: string | undefined;
    deployed: string | undefined;
    written: string | undefined;
    dev: boolean;
  },
): Choice {
  const find = (name: string | undefined) => contexts.find((context) => context.name === name);
  const { asked, deployed, written, dev } = names;
  if (deployed !== undefined && asked !== undefined && asked !== deployed) {
    throw new UserError(
      `stack ${stack} is deployed to context ${deployed}, not ${asked}. A stack has one cluster: remove it there ` +
        `first (npm run down -- --stack ${stack}), or give ${asked} a stack of its own, Pulumi.NAME.yaml.`,
    );
  }
  if (asked !== undefined) {
    const context = find(asked);
    if (context !== undefined) return { context, reason: "asked for" };
    const known = contexts.map(({ name }) => name).join(", ") || "none";
    throw new UserError(`--context: the kubeconfig has no context ${asked}. It has: ${known}.`);
  }
  const named = deployed ?? written;
  const context = find(named);
  if (context !== undefined)
    return {
      context,
      reason: deployed === undefined ? `stack ${stack} names it` : `stack ${stack} is deployed there`,
    };
  const missing =
    named === undefined
      ? `stack ${stack} names no context`
      : `the kubeconfig has no context ${named}, which stack ${stack} names`;
  if (!dev || deployed !== undefined) return { refusal: missing };
  if (current === undefined)
    return { refusal: `${missing}, and its current context, "${raw.getCurrentContext()}", names none` };
  if (current.kind === "remote")
    return {
      refusal: `${missing}, and the current one, ${current.name}, is a remote cluster that nobody has named`,
    };
  return { context: current, reason: `the current context, since ${missing}` };
}

/** How a cluster of this kind is started, to stand in parentheses. */
function startCommand({ kind, profile }: Context): string {
  const commands: Partial<Record<ClusterKind, string>> = {
    minikube: `minikube start${profile === "minikube" ? "" : ` -p ${profile}`}`,
    k3d: `k3d cluster start ${profile}`,
    orbstack: "orb start k8s",
  };
  const command = commands[kind];
  return command === undefined ? "" : ` (${command})`;
}

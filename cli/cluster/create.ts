import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";

import { type Terminal, agreed, isInteractive } from "../ask";
import { UserError } from "../errors";
import { onPath } from "../onPath";
import { homeDir } from "../paths";
import { run } from "../process";
import type { Step } from "../progress";
import { kubernetesVersions } from "./versions";

const execute = promisify(execFile);

/** What can make a cluster on this machine, the first choice first. */
export type ClusterTool = "minikube" | "kind";

/** What a cluster for the dev stack needs. */
export const clusterSize = { cpus: 4, memoryGiB: 6 } as const;

/** The name that a cluster made with kind has there. */
const kindName = "mlplatform";

const links: Readonly<Record<ClusterTool, string>> = {
  minikube: "https://minikube.sigs.k8s.io/docs/start/",
  kind: "https://kind.sigs.k8s.io/docs/user/quick-start/",
};

/** The tools on the PATH that can make a cluster, the first choice first. kind needs Docker's client beside it. */
export function clusterTools(): ClusterTool[] {
  const tools: ClusterTool[] = [];
  if (onPath("minikube") !== undefined) tools.push("minikube");
  if (onPath("kind") !== undefined && onPath("docker") !== undefined) tools.push("kind");
  return tools;
}

/**
 * Creates a cluster on this machine, and makes it the kubeconfig's current one. A minikube that is stopped is started.
 *
 * @param tool @default the first of {@link clusterTools}
 * @returns the name of its context.
 * @throws UserError there is no such tool, or it failed.
 */
export async function createCluster(
  step: Step,
  signal: AbortSignal,
  tool: ClusterTool | undefined = clusterTools()[0],
): Promise<string> {
  if (tool === undefined)
    throw new UserError(
      "no cluster can be created: neither minikube nor kind with docker is on the PATH. " +
        `Install one of them: ${links.minikube} or ${links.kind}`,
    );
  if (!clusterTools().includes(tool))
    throw new UserError(
      `no cluster can be created with ${tool}: it is not on the PATH${tool === "kind" ? ", or docker is not" : ""}. ` +
        `Install it: ${links[tool]}`,
    );
  if (tool === "kind") await refuseExisting(signal);
  step.detail(`${tool} creates a cluster; the first time takes minutes`);
  const args = tool === "minikube" ? minikubeArguments() : kindArguments();
  const log = path.join(homeDir(), "logs", `create-${tool}.log`);
  await run({ name: tool, file: tool, args, log }, signal, (line) => {
    step.detail(`${tool}: ${line.trim().slice(0, 80)}`);
  });
  return tool === "minikube" ? "minikube" : `kind-${kindName}`;
}

function minikubeArguments(): string[] {
  return [
    // Named, since a profile that was chosen earlier would be taken otherwise.
    ...["start", "--profile=minikube"],
    ...[`--cpus=${clusterSize.cpus}`, `--memory=${clusterSize.memoryGiB}g`],
    ...["--wait=all", `--kubernetes-version=${kubernetesVersions.own}`],
  ];
}

/** kind's nodes have all of the machine, and the Kubernetes that its release was made for. */
function kindArguments(): string[] {
  return ["create", "cluster", "--name", kindName, "--wait", "5m"];
}

/** kind cannot start a cluster that exists, and says only that it does. */
async function refuseExisting(signal: AbortSignal): Promise<void> {
  const { stdout } = await execute("kind", ["get", "clusters"], { signal }).catch(() => ({ stdout: "" }));
  signal.throwIfAborted();
  if (!stdout.split("\n").includes(kindName)) return;
  throw new UserError(
    `kind has a cluster ${kindName} already, which does not answer or is not the current one. Use it ` +
      `(--context kind-${kindName}), or delete it: kind delete cluster --name ${kindName}`,
  );
}

/**
 * Asks on a terminal whether a cluster should be created; elsewhere, and where there is no tool, never.
 *
 * @returns the tool to create it with; undefined if nobody wants that.
 */
export async function offerCluster(
  signal: AbortSignal,
  terminal?: Terminal,
): Promise<ClusterTool | undefined> {
  const [tool] = clusterTools();
  if (tool === undefined || !isInteractive(terminal) || process.env["CI"] !== undefined) return undefined;
  const size = tool === "minikube" ? ` with ${clusterSize.cpus} CPUs and ${clusterSize.memoryGiB} GiB` : "";
  const question = `No cluster is there to be used. Create one${size}, by ${tool}?`;
  return (await agreed(question, terminal, signal)) ? tool : undefined;
}

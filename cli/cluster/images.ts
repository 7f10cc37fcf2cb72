/** How the project's own images reach a cluster. */
import * as path from "node:path";

import type { V1Node } from "@kubernetes/client-node";

import type { AppImageName } from "../../config/models";
import { listed } from "../../config/words";
import { dockerImage } from "../../policy/rules/references";
import { object, text } from "../../policy/rules/values";
import { UserError } from "../errors";
import { homeDir, projectDir } from "../paths";
import type { Plan } from "../plan/plan";
import { type Command, run } from "../process";
import type { Step } from "../progress";
import type { ClusterTarget } from "../target";
import { daemonHas, dockerEnvironment, findDocker } from "./docker";
import type { Context } from "./kubeconfig";
import { type LiveNode, nodesAddress, onEveryNode } from "./nodes";

/** One of the project's images that the stack builds, as the program asks for it. */
export interface AppImageBuild {
  /** The resource that builds it. */
  readonly urn: string;
  readonly name: AppImageName;
  /** Its tag is a hash of all that goes into it. */
  readonly reference: string;
  /** The build context and the Dockerfile, from the project's folder. */
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly platform: string | undefined;
  readonly network: string | undefined;
  /** Whether it goes to a registry. */
  readonly pushed: boolean;
}

/**
 * Who builds, and where: `none`, nobody, since all are built already; `here`, the program in this machine's daemon,
 * which is the cluster's too, or for a registry; `minikube`, the program in minikube's daemon; `load`, this command,
 * which then hands the images to the nodes; `unreachable`, built here they would not get there.
 */
export type ImageRoute = "none" | "here" | "minikube" | "load" | "unreachable";

/** What the engine has to be told, so that the cluster finds the images. */
export interface PreparedImages {
  /** Variables for the engine's process. */
  readonly env: Readonly<Record<string, string>>;
  /** Images that are there, for the configuration's `images.prebuilt`. */
  readonly prebuilt: Readonly<Record<AppImageName, string>>;
  /** Of the daemon that builds the others: `linux/arm64`; undefined if nobody could ask it. */
  readonly daemonPlatform?: string | undefined;
}

/** A resource, of a plan or of a state. */
interface BuildingResource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** The project's images that a stack builds. */
export function appImageBuilds({
  resources,
}: {
  readonly resources: readonly BuildingResource[];
}): AppImageBuild[] {
  return resources.flatMap(({ urn, type, parent, inputs = {} }) => {
    if (type !== dockerImage) return [];
    const component = resources.find((one) => one.urn === parent);
    const name = text(component?.inputs?.["image"]);
    const { context, dockerfile, args, platform, network } = object(inputs["build"]);
    if (name === undefined) return [];
    return [
      {
        urn,
        name,
        reference: text(inputs["imageName"]) ?? "",
        context: text(context) ?? "",
        dockerfile: text(dockerfile) ?? "",
        args: object(args) as Record<string, string>,
        platform: text(platform),
        network: text(network),
        pushed: inputs["skipPush"] !== true,
      },
    ];
  });
}

/** Chooses the way from who runs the cluster and what its nodes run. */
export function imageRoute(
  builds: readonly AppImageBuild[],
  { kind }: Pick<Context, "kind">,
  nodes: readonly LiveNode[],
): ImageRoute {
  if (builds.length === 0) return "none";
  if (builds.every(({ pushed }) => pushed)) return "here";
  const runsDocker = nodes.every(
    ({ status }) => status?.nodeInfo?.containerRuntimeVersion.startsWith("docker://") === true,
  );
  switch (kind) {
    case "docker-desktop":
    case "orbstack":
      return "here";
    case "rancher-desktop":
      return runsDocker ? "here" : "unreachable";
    case "minikube":
      // What is built in the daemon of one node is not on the others.
      return runsDocker && nodes.length === 1 ? "minikube" : "load";
    case "kind":
    case "k3d":
      return "load";
    case "remote":
      return "unreachable";
  }
}

/** Why images do not reach the cluster, and what to do: for the route `unreachable`. */
export function unreachable(
  builds: readonly AppImageBuild[],
  { context, stack }: Pick<ClusterTarget, "context" | "stack">,
): { readonly what: string; readonly mend: string } {
  const names = listed(builds.map(({ name }) => name));
  const settings =
    "Name a registry to push to (images.registry), or the built images (images.prebuilt), in " +
    `Pulumi.${stack}.yaml`;
  return context.kind === "rancher-desktop"
    ? {
        what: `${names} would be built by Docker, and Rancher Desktop runs containers with containerd`,
        mend: `Choose dockerd (moby) in Rancher Desktop: Preferences > Container Engine. ${settings}`,
      }
    : {
        what: `${names} would be built in this machine's Docker daemon, out of reach of context ${context.name}`,
        mend: settings,
      };
}

/**
 * Sees to it that the cluster finds the project's own images, before the engine runs. What the cluster has is neither
 * built nor loaded again, and what the daemon has is not built again.
 *
 * @throws UserError an image cannot be built or loaded, or has no way to the cluster.
 */
export async function prepareImages(
  target: ClusterTarget,
  { recording }: Pick<Plan, "recording">,
  step: Step,
  signal: AbortSignal,
): Promise<PreparedImages> {
  const builds = appImageBuilds(recording);
  if (builds.length === 0) return { env: {}, prebuilt: {} };
  const nodes = await target.cluster.list<V1Node>(nodesAddress);
  const route = imageRoute(builds, target.context, nodes);
  switch (route) {
    case "none":
    case "here":
    case "minikube": {
      const env = await environmentFor(route, target.context, signal);
      const daemon = await findDocker(signal, env);
      return { env, prebuilt: {}, ...(daemon.state === "answers" && { daemonPlatform: daemon.platform }) };
    }
    case "load":
      for (const build of builds)
        if (!onEveryNode(nodes, build.reference)) await load(build, target.context, step, signal);
      return {
        env: {},
        prebuilt: Object.fromEntries(builds.map(({ name, reference }) => [name, reference])),
      };
    case "unreachable": {
      const { what, mend } = unreachable(builds, target);
      throw new UserError(`${what}. ${mend}.`);
    }
  }
}

/** The variables by which the engine's Docker provider finds the daemon that builds. @throws UserError minikube fails */
async function environmentFor(
  route: ImageRoute,
  { profile }: Pick<Context, "profile">,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (route === "here") return dockerEnvironment(signal);
  return route === "minikube" ? minikubeEnvironment(profile, signal) : {};
}

/**
 * Has the engine's Docker provider find the daemon as in `up`: without it a command stops that builds nothing. Where the
 * daemon is not to be found, the provider says so if it needs it.
 *
 * @param resources of the plan, or of the state.
 */
export async function useBuilder(
  { cluster, context }: Pick<ClusterTarget, "cluster" | "context">,
  resources: readonly BuildingResource[],
  signal: AbortSignal,
): Promise<void> {
  const builds = appImageBuilds({ resources });
  if (builds.length === 0) return;
  try {
    const nodes = await cluster.list<V1Node>(nodesAddress);
    Object.assign(process.env, await environmentFor(imageRoute(builds, context, nodes), context, signal));
  } catch {
    signal.throwIfAborted();
  }
}

/** Builds an image unless the daemon has it, and hands it to the nodes. */
async function load(build: AppImageBuild, context: Context, step: Step, signal: AbortSignal): Promise<void> {
  if (!(await daemonHas(build.reference, signal))) {
    step.detail(`building ${build.name}`);
    await run(buildCommand(build), signal, (line) => {
      step.detail(`building ${build.name}: ${line.trim().slice(0, 80)}`);
    });
  }
  step.detail(`loading ${build.name} into ${context.name}`);
  await run(loadCommand(build, context), signal);
}

function buildCommand({
  name,
  reference,
  context,
  dockerfile,
  args,
  platform,
  network,
}: AppImageBuild): Command {
  return {
    name: `docker build of ${name}`,
    file: "docker",
    args: [
      ...["build", "--tag", reference, "--file", path.join(projectDir, dockerfile)],
      ...Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
      ...(platform === undefined ? [] : ["--platform", platform]),
      ...(network === undefined ? [] : ["--network", network]),
      path.join(projectDir, context),
    ],
    log: log(`build-${name}`),
  };
}

function loadCommand({ name, reference }: AppImageBuild, { kind, profile }: Context): Command {
  const commands: Partial<Record<Context["kind"], readonly string[]>> = {
    kind: ["kind", "load", "docker-image", reference, "--name", profile],
    k3d: ["k3d", "image", "import", reference, "--cluster", profile],
    minikube: ["minikube", "--profile", profile, "image", "load", reference],
  };
  const [file = "", ...args] = commands[kind] ?? [];
  return { name: `${file}, loading ${name}`, file, args, log: log(`load-${name}`) };
}

/** The variables that lead a Docker client into minikube's own daemon. */
async function minikubeEnvironment(profile: string, signal: AbortSignal): Promise<Record<string, string>> {
  const output = await run(
    {
      name: "minikube docker-env",
      file: "minikube",
      args: ["--profile", profile, "docker-env", "--shell", "none"],
      log: log("minikube-docker-env"),
    },
    signal,
  );
  const variables = output.matchAll(/^(DOCKER_(?:HOST|CERT_PATH|TLS_VERIFY))="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...variables].map(([, key = "", value = ""]) => [key, value]));
}

function log(name: string): string {
  return path.join(homeDir(), "logs", `${name}.log`);
}

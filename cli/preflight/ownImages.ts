import { type DockerState, findDocker } from "../cluster/docker";
import {
  type AppImageBuild,
  type ImageRoute,
  appImageBuilds,
  imageRoute,
  unreachable,
} from "../cluster/images";
import type { LiveNode } from "../cluster/nodes";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { error, type Finding, warning } from "../../finding";
import { listed } from "../../config/words";

export const ownImages: Check<Inspection> = {
  subject: "how the project's own images get into the cluster",
  asks: "whether the project's own images can be built, and have a way to the cluster",
  async find({ plan, target, nodes, signal }) {
    const builds = appImageBuilds(plan.recording);
    if (builds.length === 0) return [];
    const route = imageRoute(builds, target.context, await nodes());
    if (route === "unreachable") {
      const { what, mend } = unreachable(builds, target);
      return [error(what, mend)];
    }
    // minikube's own daemon is there when its cluster is.
    if (route === "minikube") return [];
    return dockerProblems(builds, route, await findDocker(signal), await nodes());
  },
};

export function dockerProblems(
  builds: readonly AppImageBuild[],
  route: ImageRoute,
  found: DockerState,
  nodes: readonly LiveNode[],
): Finding[] {
  const names = listed(builds.map(({ name }) => name));
  switch (found.state) {
    case "no client": {
      // What builds within the program needs no client, and may well find a daemon.
      const severity = route === "load" ? error : warning;
      return [
        severity(
          `there is no docker on the PATH, and ${names} ${builds.length === 1 ? "is" : "are"} to be built`,
          "Install Docker (https://docs.docker.com/get-started/get-docker/), or name built images: images.prebuilt",
        ),
      ];
    }
    case "silent":
      return [
        error(
          `Docker does not answer, and ${names} ${builds.length === 1 ? "is" : "are"} to be built: ${found.reason}`,
          "Start Docker, or name built images: images.prebuilt",
        ),
      ];
    case "answers":
      return platformProblems(builds, found.platform, nodes);
  }
}

/** Images for other processors than the nodes have. */
function platformProblems(
  builds: readonly AppImageBuild[],
  daemon: string,
  nodes: readonly LiveNode[],
): Finding[] {
  const architectures = [...new Set(nodes.map(({ status }) => status?.nodeInfo?.architecture ?? "amd64"))];
  const wrong = builds.find(({ platform = daemon }) => !architectures.includes(platform.split("/")[1] ?? ""));
  if (wrong === undefined || architectures.length === 0) return [];
  return [
    error(
      `${listed(builds.map(({ name }) => name))} would be built for ${wrong.platform ?? daemon}, and the nodes are ` +
        listed(architectures),
      `Set images.platform: linux/${architectures[0] ?? ""}, which takes a Docker that emulates it`,
    ),
  ];
}

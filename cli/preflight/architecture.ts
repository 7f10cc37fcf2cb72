import type { ClusterKind } from "../cluster/kubeconfig";
import { type LiveNode, isReserved } from "../cluster/nodes";
import type { ImageUse } from "../plan/images";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { listed } from "../../config/words";
import { error, type Finding, warning } from "../../finding";

export const architecture: Check<Inspection> = {
  subject: "the architecture of the cluster's nodes",
  asks: "whether the images run on the nodes' processors",
  async find({ plan, target, nodes }) {
    return architectureProblems(await nodes(), plan.images, target.context.kind);
  },
};

export function architectureProblems(
  nodes: readonly LiveNode[],
  images: readonly ImageUse[],
  kind: ClusterKind,
): Finding[] {
  const found = new Set(
    nodes.filter((node) => !isReserved(node)).map(({ status }) => status?.nodeInfo?.architecture ?? "amd64"),
  );
  const others = [...found].filter((one) => one !== "amd64").sort();
  const names = images.flatMap(({ pin }) =>
    pin?.only === "amd64" ? [pin.repository.slice(pin.repository.indexOf("/") + 1)] : [],
  );
  if (others.length === 0 || names.length === 0) return [];
  const are = `${listed([...new Set(names)])} ${names.length === 1 ? "is" : "are"}`;
  const what = `${are} published for amd64 alone, and the cluster has nodes that are ${others.join(", ")}`;
  const mirror = "or build them for it, and name the registry that has them: mirror.images";
  // On one's own machine they run in emulation, if that is there: Docker Desktop, OrbStack and Rancher Desktop have it.
  if (kind !== "remote")
    return [
      warning(
        `${what}: they run, slower, where the machine emulates amd64, else end with "exec format error"`,
        `Switch emulation on (Rosetta or QEMU in the settings of Docker's machine), ${mirror}`,
      ),
    ];
  if (found.has("amd64"))
    return [
      warning(
        `${what}: pods that come to lie there end with "exec format error"`,
        "Keep those nodes for others with a taint",
      ),
    ];
  return [
    error(`${what}: their pods would end with "exec format error"`, `Add a node that is amd64, ${mirror}`),
  ];
}

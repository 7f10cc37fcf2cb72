import { parseReference } from "../../policy/rules/references";
import { type LiveNode, missingOnSomeNode } from "../cluster/nodes";
import type { ImageUse } from "../plan/images";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { type Finding, warning } from "../../finding";
import { listed } from "../../config/words";
import { isRegistry, registryUrl, unreached } from "./reach";

// Not image by image, which Docker Hub counts as pulls; and only a warning: the nodes pull, and not this machine.
export const registries: Check<Inspection> = {
  subject: "the registries of the images",
  asks: "whether the registries of the images that some node lacks answer",
  async find({ plan, nodes, signal }) {
    const missing = missingImages(plan.images, await nodes());
    const hosts = byRegistry(missing);
    const reasons = await Promise.all(
      [...hosts.keys()].map((host) => unreached(registryUrl(host), isRegistry, signal)),
    );
    return [...keptImageProblems(missing), ...registryProblems(hosts, reasons)];
  },
};

/** What stands for the registry in the names of images that are in no registry. */
const noRegistry = "localhost";

/** The references that some node is known to have to pull. */
export function missingImages(images: readonly ImageUse[], nodes: readonly LiveNode[]): string[] {
  return images
    .filter(({ reference, built }) => !(built && hostOf(reference) === noRegistry))
    .map(({ reference }) => reference)
    .filter((reference) => missingOnSomeNode(nodes, reference));
}

/** References by the host of their registry. */
export function byRegistry(references: readonly string[]): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const reference of references) {
    const host = hostOf(reference);
    if (host !== noRegistry) hosts.set(host, [...(hosts.get(host) ?? []), reference]);
  }
  return hosts;
}

function hostOf(reference: string): string {
  return parseReference(reference).repository.split("/")[0] ?? "";
}

/** @param reasons why each registry will not do; undefined if it will. */
export function registryProblems(
  hosts: ReadonlyMap<string, readonly string[]>,
  reasons: readonly (string | undefined)[],
): Finding[] {
  const lost = [...hosts].flatMap(([host, { length }], index) => {
    const reason = reasons[index];
    return reason === undefined
      ? []
      : [`${host} for ${length === 1 ? "1 image" : `${length} images`} (${reason})`];
  });
  if (lost.length === 0) return [];
  return [
    warning(
      `registries that the nodes have to pull from cannot be reached from here: ${lost.join("; ")}`,
      "Go on if the nodes reach them; else name a registry that they reach: mirror.images",
    ),
  ];
}

/** Images that were said to be built, and that nobody can be asked for. */
export function keptImageProblems(missing: readonly string[]): Finding[] {
  const lost = missing.filter((reference) => hostOf(reference) === noRegistry);
  return lost.length === 0
    ? []
    : [
        warning(
          `${listed(lost)} ${lost.length === 1 ? "is" : "are"} in no registry, and not on every node`,
          "Load it into the nodes, or take it out of images.prebuilt to have it built",
        ),
      ];
}

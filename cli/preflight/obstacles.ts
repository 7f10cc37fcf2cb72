import type { V1Namespace } from "@kubernetes/client-node";

import { ownerKeys } from "../../components/namespaces/platformNamespaces";
import { kindOf } from "../../policy/rules/kubernetes";
import { at, text } from "../../policy/rules/values";
import type { Live } from "../cluster/cluster";
import { inWords, markOf, partOf } from "../cluster/whose";
import { policyResources } from "../plan/policy";
import type { Recording } from "../plan/recording";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { error, type Finding, warning } from "../../finding";
import { listed } from "../../config/words";

export const obstacles: Check<Inspection> = {
  subject: "the namespaces that are there already",
  asks: "whether they are somebody else's, or on their way out",
  async find({ plan, cluster, deployed, owner, target }) {
    const found = await cluster.list<V1Namespace>("/api/v1/namespaces");
    return namespaceProblems(namespacesOf(plan.recording), found, { deployed, owner, target });
  },
};

/** A namespace as the stack makes it. */
interface PlannedNamespace {
  readonly name: string;
  /** Whose it is, by its label. */
  readonly owner: string | undefined;
}

function namespacesOf(recording: Recording): PlannedNamespace[] {
  return policyResources(recording)
    .filter((resource) => kindOf(resource) === "Namespace")
    .map(({ name, props }) => ({
      name: text(at(props, "metadata", "name")) ?? name,
      owner: text(at(props, "metadata", "labels", partOf)),
    }));
}

/** Which stack is meant for which cluster. */
interface Where {
  readonly stack: string;
  readonly context: { readonly name: string };
}

/** @param found all namespaces of the cluster. */
export function namespaceProblems(
  planned: readonly PlannedNamespace[],
  found: readonly Live<V1Namespace>[],
  { deployed, owner: self, target }: Pick<Inspection, "deployed" | "owner"> & { readonly target: Where },
): Finding[] {
  const context = target.context.name;
  const there = planned.flatMap(({ name, owner }) => {
    const namespace = found.find(({ metadata }) => metadata?.name === name);
    if (namespace === undefined) return [];
    const ends = namespace.metadata?.deletionTimestamp !== undefined;
    const mark = markOf(namespace);
    // What bears this stack's mark is its own, also where somebody has taken the label off.
    const ours = at(namespace.metadata?.labels, partOf) === owner || mark?.id === self.id;
    return [{ name, owner, ends, mark, ours }];
  });
  const are = (all: typeof there, one: string, several: string) =>
    `namespace${all.length === 1 ? "" : "s"} ${listed(all.map(({ name }) => name))} ${all.length === 1 ? one : several}`;
  const ending = there.filter(({ ends }) => ends);
  const foreign = there.filter(({ ends, ours }) => !ends && !ours);
  const others = there.filter(
    ({ ends, ours, mark }) => !ends && ours && mark !== undefined && mark.id !== self.id,
  );
  const left = there.filter(({ ends, ours, mark }) => !ends && ours && !deployed && mark === undefined);
  const problems: Finding[] = [];
  if (ending.length > 0)
    problems.push(
      error(
        are(ending, "is being deleted", "are being deleted"),
        `Wait until it is gone; what holds it up: kubectl --context ${context} get namespace ${ending[0]?.name ?? ""} -o yaml`,
      ),
    );
  if (foreign.length > 0)
    problems.push(
      error(
        `${are(foreign, "is somebody else's", "are somebody else's")}: no label ${partOf}=${foreign[0]?.owner ?? ""}`,
        "Use another cluster, or delete what nobody needs any more",
      ),
    );
  const mark = others[0]?.mark;
  if (mark !== undefined)
    problems.push(
      error(
        `${are(others, "belongs", "belong")} to ${inWords(mark)}; this is stack ${target.stack}, with its state in ${self.state}`,
        mark.stack === target.stack
          ? `Work from there, or bring that state here, with stacks and passphrase, which lie beside it. If Pulumi's own commands have moved it: ` +
              `kubectl --context ${context} annotate namespace ${others.map(({ name }) => name).join(" ")} ` +
              `--overwrite ${ownerKeys.id}=${self.id}`
          : `Give this one a cluster of its own, or remove the other from there: npm run down -- --stack ${mark.stack}`,
      ),
    );
  if (left.length > 0)
    problems.push(
      warning(
        `${are(left, "is", "are")} there and labelled as the platform's, though nothing of this stack is known to be ` +
          "there: kept when the stack was brought down, or another one's",
        "Go on if this stack kept them; another one's would be taken over, so give this one a cluster of its own",
      ),
    );
  return problems;
}

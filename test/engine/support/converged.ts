import { expect } from "chai";

import { type MemoryCluster, secretData } from "../../standins/cluster";
import type { Lane } from "./lane";
import { type Reference, urnsOf } from "./reference";

/** What the cluster's Secrets hold, to be compared later. */
export function heldSecrets(cluster: MemoryCluster): Map<string, string> {
  return new Map(
    [...cluster.objects]
      .filter(([, { kind }]) => kind === "Secret")
      .map(([key]) => [key, dataOf(cluster, key)]),
  );
}

function dataOf(cluster: MemoryCluster, key: string): string {
  const object = cluster.objects.get(key);
  return object === undefined ? "" : JSON.stringify(secretData([object]));
}

/**
 * Asserts that a stack is where an undisturbed run would have brought it: nothing is missing in the cluster, nothing
 * is there that the state does not know, nothing is pending, and what was applied before is still the same.
 *
 * @param held what the Secrets held before the run that ended here.
 */
export function expectConverged(lane: Lane, reference: Reference, held: ReadonlyMap<string, string>): void {
  const state = lane.storedState();
  expect(lane.cluster.inventory(), "the cluster").to.deep.equal(reference.inventory);
  expect(urnsOf(state), "the state").to.deep.equal(reference.urns);
  expect(state.pending_operations ?? [], "pending operations").to.deep.equal([]);
  const unready = (state.resources ?? []).filter(({ initErrors = [] }) => initErrors.length > 0);
  expect(
    unready.map(({ urn }) => urn),
    "resources that did not become ready",
  ).to.deep.equal([]);
  for (const [key, data] of held) expect(dataOf(lane.cluster, key), key).to.equal(data);
  expect(lane.cluster.faults, "faults").to.deep.equal([]);
}

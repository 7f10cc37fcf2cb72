import { expect } from "chai";

import { type Workload, rolloutOf } from "../../../cli/cluster/rollout";

describe("how far the pods of a workload have come", () => {
  const well = { replicas: 1, readyReplicas: 1, updatedReplicas: 1, observedGeneration: 2 };
  const told = (status: object, replicas = 1) => {
    const workload = { metadata: { generation: 2 }, spec: { replicas }, status };
    const { complete, state } = rolloutOf(workload as Workload);
    return [complete, state];
  };

  for (const [what, status, replicas, complete, state] of [
    ["all are ready", well, 1, true, "1/1 ready"],
    [
      "more are ready than are wanted",
      { ...well, replicas: 3, readyReplicas: 3, updatedReplicas: 3 },
      2,
      true,
      "3/2 ready",
    ],
    ["it is scaled to 0", { observedGeneration: 2 }, 0, false, "0/1 ready"],
    ["none is ready", { ...well, readyReplicas: undefined }, 1, false, "0/1 ready"],
    [
      "the new pod fails beside the old one",
      { ...well, replicas: 2 },
      1,
      false,
      "1/1 ready, 0 of the new version",
    ],
    [
      "one of two is replaced",
      { ...well, replicas: 3, readyReplicas: 3, updatedReplicas: 1 },
      2,
      false,
      "3/2 ready, 1 of the new version",
    ],
    [
      "the controller has not seen the new version",
      { ...well, observedGeneration: 1 },
      1,
      false,
      "1/1 ready, 0 of the new version",
    ],
    [
      "a StatefulSet keeps its old pod",
      { ...well, updatedReplicas: undefined, currentRevision: "a", updateRevision: "b" },
      1,
      false,
      "1/1 ready, 0 of the new version",
    ],
    [
      "a StatefulSet has one version alone",
      { ...well, updatedReplicas: undefined, currentRevision: "a", updateRevision: "a" },
      1,
      true,
      "1/1 ready",
    ],
  ] as const)
    it(`says so where ${what}`, () => {
      expect(told(status, replicas)).to.deep.equal([complete, state]);
    });
});

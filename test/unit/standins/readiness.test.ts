import { expect } from "chai";

import { annotation, readinessOf } from "../../standins/kubectl/readiness";
import type { Values } from "../../standins/values";

const ready = { state: "ready" };
const waiting = (reason: string) => ({ state: "waiting", reason });
const failed = (reason: string) => ({ state: "failed", reason });

describe("readiness: objects that are ready as soon as they are there", () => {
  it("are namespaces, Secrets, Services and custom resources that nothing is said of", () => {
    for (const kind of ["Namespace", "Secret", "ConfigMap", "Service", "NetworkPolicy", "SeldonDeployment"])
      expect(readinessOf({ kind, metadata: { name: "it" } }), kind).to.deep.equal(ready);
  });
});

for (const kind of ["Deployment", "StatefulSet"]) {
  describe(`readiness: a ${kind}`, () => {
    const rolledOut = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
    const of = (status: Values, spec: Values = { replicas: 2 }) =>
      readinessOf({ kind, metadata: { name: "it", generation: 3 }, spec, status });
    const stuck = {
      conditions: [
        { type: "Available", status: "False", reason: "MinimumReplicasUnavailable", message: "none" },
        {
          type: "Progressing",
          status: "False",
          reason: "ProgressDeadlineExceeded",
          message: 'ReplicaSet "it-1" has timed out progressing.',
        },
      ],
    };

    it("is ready when all pods are new and available, and none is left over", () => {
      expect(of(rolledOut)).to.deep.equal(ready);
      expect(of({ ...rolledOut, observedGeneration: 4 })).to.deep.equal(ready);
    });

    it("waits while the controller has not seen the newest generation", () => {
      expect(of({ ...rolledOut, observedGeneration: 2 })).to.deep.equal(
        waiting("of 2 pods 2 are new, 2 available and 2 there"),
      );
    });

    it("waits while a pod is old, not available, or left over", () => {
      expect(of({ ...rolledOut, updatedReplicas: 1 })).to.deep.equal(
        waiting("of 2 pods 1 are new, 2 available and 2 there"),
      );
      expect(of({ ...rolledOut, availableReplicas: 1 })).to.deep.equal(
        waiting("of 2 pods 2 are new, 1 available and 2 there"),
      );
      expect(of({ ...rolledOut, replicas: 3 })).to.deep.equal(
        waiting("of 2 pods 2 are new, 2 available and 3 there"),
      );
    });

    it("waits while there is no status yet, for one pod where no number is given", () => {
      expect(readinessOf({ kind, metadata: { generation: 1 }, spec: {} })).to.deep.equal(
        waiting("of 1 pods 0 are new, 0 available and 0 there"),
      );
    });

    it("is ready without pods where none is wanted", () => {
      expect(of({ observedGeneration: 3 }, { replicas: 0 })).to.deep.equal(ready);
    });

    it("has failed when it has made no progress in its time, with the controller's message", () => {
      expect(of({ ...rolledOut, ...stuck, availableReplicas: 1 })).to.deep.equal(
        failed('ReplicaSet "it-1" has timed out progressing.'),
      );
    });

    it("is not held to the failure of the generation before", () => {
      expect(of({ ...rolledOut, ...stuck, observedGeneration: 2, availableReplicas: 0 })).to.deep.equal(
        waiting("of 2 pods 2 are new, 0 available and 2 there"),
      );
    });
  });
}

describe("readiness: a Job", () => {
  const of = (...conditions: readonly Values[]) => readinessOf({ kind: "Job", status: { conditions } });

  it("is ready when it is complete", () => {
    expect(of({ type: "Complete", status: "True" })).to.deep.equal(ready);
  });

  it("waits until a condition holds", () => {
    expect(readinessOf({ kind: "Job" })).to.deep.equal(waiting("the Job is not done"));
    expect(readinessOf({ kind: "Job", status: { active: 1 } })).to.deep.equal(waiting("the Job is not done"));
    expect(
      of({ type: "Complete", status: "False" }, { type: "Failed", status: "False", reason: "x" }),
    ).to.deep.equal(waiting("the Job is not done"));
  });

  it("has failed with the reason and the message of its condition", () => {
    const message = "Job has reached the specified backoff limit";
    expect(
      of(
        { type: "FailureTarget", status: "True" },
        { type: "Failed", status: "True", reason: "BackoffLimitExceeded", message },
      ),
    ).to.deep.equal(failed("BackoffLimitExceeded: Job has reached the specified backoff limit"));
  });
});

describe("readiness: an object with pulumi.com/waitFor", () => {
  const available = "jsonpath={.status.state}=Available";
  const of = (expressions: readonly string[], more: Values, kind = "SeldonDeployment") =>
    readinessOf({
      kind,
      metadata: { annotations: { "pulumi.com/waitFor": JSON.stringify(expressions) } },
      ...more,
    });

  it("is ready when the value is the wanted one, and waits before", () => {
    expect(of([available], { status: { state: "Available" } })).to.deep.equal(ready);
    for (const more of [{}, { status: {} }, { status: { state: "Creating" } }, { status: "Available" }])
      expect(of([available], more), JSON.stringify(more)).to.deep.equal(
        waiting("jsonpath={.status.state}=Available does not hold"),
      );
  });

  it("is ready only when all of the list hold, and tells the first that does not", () => {
    const list = [available, "jsonpath={.status.deploymentStatus.it.availableReplicas}=2"];
    const status = (replicas: number) => ({
      state: "Available",
      deploymentStatus: { it: { availableReplicas: replicas } },
    });
    expect(of(list, { status: status(2) })).to.deep.equal(ready);
    expect(of(list, { status: status(1) })).to.deep.equal(
      waiting("jsonpath={.status.deploymentStatus.it.availableReplicas}=2 does not hold"),
    );
    expect(of(list, { status: { ...status(2), state: "Creating" } })).to.deep.equal(
      waiting("jsonpath={.status.state}=Available does not hold"),
    );
    expect(of([], {})).to.deep.equal(ready);
  });

  it("needs only that there is a value where none is named", () => {
    const there = "jsonpath={.status.address}";
    expect(of([there], { status: { address: "" } })).to.deep.equal(ready);
    expect(of([there], { status: {} })).to.deep.equal(waiting("jsonpath={.status.address} does not hold"));
  });

  it("takes the text after the first = as it is, also an empty one", () => {
    expect(of(["jsonpath={.spec.query}=a=b"], { spec: { query: "a=b" } })).to.deep.equal(ready);
    expect(of(["jsonpath={.spec.paused}=false"], { spec: { paused: false } })).to.deep.equal(ready);
    expect(of(["jsonpath={.spec.query}="], { spec: { query: "a" } })).to.deep.equal(
      waiting("jsonpath={.spec.query}= does not hold"),
    );
  });

  it("finds names that are quoted for their dots", () => {
    const expression = "jsonpath={.metadata.labels['app.kubernetes.io/name']}=it";
    const metadata = (value: string) => ({
      annotations: { "pulumi.com/waitFor": JSON.stringify([expression]) },
      labels: { "app.kubernetes.io/name": value },
    });
    expect(readinessOf({ kind: "Other", metadata: metadata("it") })).to.deep.equal(ready);
    expect(readinessOf({ kind: "Other", metadata: metadata("other") })).to.deep.equal(
      waiting(`${expression} does not hold`),
    );
  });

  it("is judged by it alone, whatever its kind", () => {
    expect(of(["jsonpath={.spec.replicas}=1"], { spec: { replicas: 1 } }, "Deployment")).to.deep.equal(ready);
  });

  it("is ready when a condition is true, said of its newest generation; a single expression needs no list", () => {
    const expression = "condition=DisruptionAllowed";
    const budget = (status: string, observedGeneration: number) =>
      readinessOf({
        kind: "PodDisruptionBudget",
        metadata: { generation: 2, annotations: { "pulumi.com/waitFor": expression } },
        status: { observedGeneration, conditions: [{ type: "DisruptionAllowed", status }] },
      });
    expect(budget("True", 2)).to.deep.equal(ready);
    for (const other of [budget("False", 2), budget("True", 1), of([expression], {})])
      expect(other).to.deep.equal(waiting(`${expression} does not hold`));
  });

  it("is refused where the stand-in cannot tell", () => {
    expect(() => of(["delete"], {})).to.throw("no stand-in for waiting for delete");
    expect(() => of(["jsonpath={.status.items[0].name}"], {})).to.throw(
      "no stand-in for the JSONPath .status.items[0].name",
    );
  });
});

describe("an annotation", () => {
  it("is its text, or undefined", () => {
    const manifest = { metadata: { annotations: { a: "b" } } };
    expect([annotation(manifest, "a"), annotation(manifest, "c"), annotation({}, "a")]).to.deep.equal([
      "b",
      undefined,
      undefined,
    ]);
  });
});

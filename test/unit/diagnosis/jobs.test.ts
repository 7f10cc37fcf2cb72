import type { V1JobStatus } from "@kubernetes/client-node";
import { expect } from "chai";

import type { Live } from "../../../cli/cluster/cluster";
import { at, ended, event, findings, meta, of, pod, running, told, waiting } from "./support";

describe("diagnosis of Jobs", () => {
  const job = (status: Partial<Live<V1JobStatus>>, annotations?: Record<string, string>) => ({
    metadata: meta("schema", annotations && { annotations }),
    spec: { activeDeadlineSeconds: 600, template: {} },
    status: { startTime: at(0), ...status },
  });
  const attempt = (name: string, exitCode: number, from: number) =>
    pod(name, {
      metadata: { ...of("Job", "schema"), creationTimestamp: at(from) },
      status: { phase: "Failed" },
      containers: { main: { state: ended(exitCode, from, from + 1) } },
    });
  const end = (reason: string, type = "Failed") => ({
    conditions: [{ type, status: "True", reason, lastTransitionTime: at(9) }],
  });

  it("tells one that runs, with the container that logs", () => {
    const runs = pod("schema-1", {
      metadata: of("Job", "schema"),
      containers: { main: { state: running(1), ready: true } },
    });
    const found = findings({ jobs: [job({ active: 1, ready: 1 })], pods: [runs] }, 42);
    expect(found).to.deep.equal([
      {
        object: { kind: "Job", namespace: "ns", name: "schema" },
        job: "schema",
        cause: "start",
        what: "Job schema runs for 42 s",
        container: { pod: "schema-1", name: "main", previous: false },
        severity: "warning",
      },
    ]);
  });

  it("tells failed attempts, and gives up on the third", () => {
    const pods = [attempt("schema-2", 7, 12), attempt("schema-1", 1, 1)];
    expect(told({ jobs: [job({ failed: 2 })], pods }, 20)).to.deep.equal([
      "Job schema fails and is tried again (2 attempts, the last with exit code 7) → Its log says why: kubectl -n ns logs schema-2 -c main",
    ]);
    const third = { jobs: [job({ failed: 3 })], pods: [...pods, attempt("schema-3", 7, 33)] };
    expect(told(third, 35)).to.deep.equal([
      "! Job schema fails and is tried again (3 attempts, the last with exit code 7) → Its log says why: kubectl -n ns logs schema-3 -c main",
    ]);
    // The next attempt says nothing new before it has failed too.
    const next = pod("schema-4", {
      metadata: of("Job", "schema"),
      containers: { main: { state: waiting("ContainerCreating") } },
    });
    expect(
      findings({ ...third, pods: [...third.pods, next] }, 60).map(({ object }) => object.name),
    ).to.deep.equal(["schema"]);
  });

  it("tells one that has failed, as soon as that is decided", () => {
    const failed = {
      jobs: [job({ failed: 1, ...end("BackoffLimitExceeded") })],
      pods: [attempt("schema-1", 2, 1)],
    };
    expect(told(failed, 10)).to.deep.equal([
      "! Job schema has failed (1 attempt, the last with exit code 2) → Its log says why: kubectl -n ns logs schema-1 -c main",
    ]);
    expect(findings(failed, 10)[0]).to.deep.include({
      at: at(9),
      container: { pod: "schema-1", name: "main", previous: false },
    });
    expect(
      told({ jobs: [job({ failed: 1, ...end("DeadlineExceeded", "FailureTarget") })] }, 10),
    ).to.deep.equal([
      "! Job schema has failed: it did not end within 600 s → See why: kubectl -n ns describe job schema",
    ]);
  });

  it("calls a hook of Helm's one", () => {
    const hook = job(
      { failed: 1, ...end("BackoffLimitExceeded") },
      { "helm.sh/hook": "post-install,post-upgrade" },
    );
    const labels = { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "minio" };
    const [finding] = findings({ jobs: [{ ...hook, metadata: { ...hook.metadata, labels } }] }, 10);
    expect(finding).to.include({
      what: "Helm hook schema (post-install, post-upgrade) has failed (1 attempt)",
      release: "minio",
      job: "schema",
    });
  });

  it("tells a pod's fault with the pod, and not twice", () => {
    const stuck = pod("schema-1", {
      metadata: of("Job", "schema"),
      status: { phase: "Pending" },
      containers: { main: { state: waiting("ErrImagePull", "app:1: not found") } },
    });
    const found = findings({ jobs: [job({ active: 1 })], pods: [stuck] }, 12);
    expect(found.map(({ cause, job: behind, object }) => [object.kind, behind, cause])).to.deep.equal([
      ["Pod", "schema", "image"],
    ]);
  });

  it("tells what refuses it its pods", () => {
    const message =
      'Error creating: pods "schema-1" is forbidden: exceeded quota: small, requested: requests.memory=200Mi, used: requests.memory=0, limited: requests.memory=100Mi';
    const events = [event("schema", "FailedCreate", message, { from: 1 })];
    expect(told({ jobs: [job({})], events }, 21)).to.deep.equal([
      "! Job schema may not make its pods: one asks for requests.memory=200Mi, and quota small allows requests.memory=100Mi in all (used: requests.memory=0) → Raise the namespace's quota, or ask for less in the stack configuration.",
    ]);
  });

  it("says nothing of one that has succeeded, is suspended, or is being replaced", () => {
    const gone = job({ failed: 1, ...end("BackoffLimitExceeded") });
    const jobs = [
      job({ succeeded: 1, failed: 3, ...end("CompletionsReached", "Complete") }),
      { ...job({}), spec: { suspend: true, template: {} } },
      { ...gone, metadata: meta("schema", { deletionTimestamp: at(1) }) },
    ];
    expect(findings({ jobs, pods: [attempt("schema-1", 1, 1)] }, 60)).to.deep.equal([]);
  });
});

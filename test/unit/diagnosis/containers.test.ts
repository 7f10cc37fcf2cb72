import { expect } from "chai";

import { type ContainerNow, ended, event, findings, meta, of, pod, running, told, waiting } from "./support";

const backOff = waiting("CrashLoopBackOff", "back-off 20s restarting failed container");

describe("diagnosis of containers", () => {
  const mlflow = (now: ContainerNow) => ({ pods: [pod("mlflow-7d", { containers: { mlflow: now } })] });

  it("tells a crash at once, and gives up on the third in a row", () => {
    const log = "Its log says why: kubectl -n ns logs mlflow-7d -c mlflow";
    expect(told(mlflow({ state: ended(3, 1, 1) }), 2)).to.deep.equal([
      `container mlflow of pod mlflow-7d crashes (exit code 3) → ${log}`,
    ]);
    expect(told(mlflow({ state: backOff, last: ended(3, 2, 2), restarts: 1 }), 4)).to.deep.equal([
      `container mlflow of pod mlflow-7d crashes (exit code 3, 1 restart) → ${log} --previous`,
    ]);
    const third = mlflow({ state: backOff, last: ended(3, 14, 14), restarts: 2 });
    expect(told(third, 16)).to.deep.equal([
      `! container mlflow of pod mlflow-7d crashes (exit code 3, 2 restarts) → ${log} --previous`,
    ]);
    const [finding] = findings(third, 16);
    expect(finding?.container).to.deep.equal({ pod: "mlflow-7d", name: "mlflow", previous: true });
    expect(finding?.at).to.equal("2026-11-25T12:00:14.000Z");
  });

  it("does not give up on what had run for long, nor on what outlives its last crash", () => {
    const long = mlflow({ state: backOff, last: ended(1, 0, 7000), restarts: 4 });
    expect(findings(long, 7002)[0]?.severity).to.equal("warning");
    const again = mlflow({ state: running(20), last: ended(1, 10, 14), restarts: 3 });
    expect(findings(again, 22)[0]).to.include({ cause: "crash", severity: "error" });
    expect(findings(again, 30)[0]).to.include({ cause: "start", severity: "warning" });
  });

  it("tells the memory limit of a container that runs out of it", () => {
    const spec = { resources: { limits: { memory: "32Mi" } } };
    const state = ended(137, 5, 6, "OOMKilled");
    expect(told(mlflow({ state, restarts: 2, spec }), 7)).to.deep.equal([
      "! container mlflow of pod mlflow-7d runs out of memory (limit 32 MiB, 2 restarts) → Give it a higher memory limit in the stack configuration.",
    ]);
  });

  it("tells signals, and a server that ends by itself", () => {
    const reason = (code: number) => findings(mlflow({ state: ended(code, 1, 2) }), 3)[0]?.what;
    expect(reason(139)).to.equal("container mlflow of pod mlflow-7d crashes (exit code 139, SIGSEGV)");
    expect(reason(127)).to.equal(
      "container mlflow of pod mlflow-7d crashes (exit code 127, command not found)",
    );
    expect(reason(0)).to.equal(
      "container mlflow of pod mlflow-7d ends by itself (exit code 0), and is to go on",
    );
  });

  it("tells what cannot be started, at the second time for good", () => {
    const runc = (problem: string) =>
      ended(
        128,
        0,
        12,
        "StartError",
        `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${problem}: unknown`,
      );
    const of = (problem: string) =>
      told(mlflow({ state: waiting("RunContainerError"), last: runc(problem), restarts: 1 }), 13);
    expect(of('exec: "mlflow": executable file not found in $PATH')).to.deep.equal([
      '! container mlflow of pod mlflow-7d cannot be started: exec: "mlflow": executable file not found in $PATH → Correct its command, or the image.',
    ]);
    expect(of('exec: "/usr/bin/mlflow": exec format error')).to.deep.equal([
      "! container mlflow of pod mlflow-7d cannot be started: its program is for another architecture than the node's (exec format error) → Choose or build the image for the node's architecture (kubectl get nodes -L kubernetes.io/arch).",
    ]);
  });

  it("tells a container that its liveness probe kills", () => {
    const pods = mlflow({ state: backOff, last: ended(137, 40, 46), restarts: 3 });
    const events = [
      event("mlflow-7d", "Killing", "Container mlflow failed liveness probe, will be restarted", {
        ...{ from: 14, to: 44, count: 4, container: "mlflow" },
      }),
    ];
    expect(told({ ...pods, events }, 50)).to.deep.equal([
      "! container mlflow of pod mlflow-7d is killed as it does not pass its liveness probe (3 restarts) → Its log may say why it does not answer: kubectl -n ns logs mlflow-7d -c mlflow --previous",
    ]);
  });

  it("tells what a container lacks to be made, after 20 s for good", () => {
    const of = (message: string, seconds: number) =>
      told(mlflow({ state: waiting("CreateContainerConfigError", message) }), seconds);
    const mend = "What is there: kubectl -n ns get secrets,configmaps";
    expect(of('secret "mlflow-db" not found', 3)).to.deep.equal([
      `container mlflow of pod mlflow-7d cannot be made: Secret mlflow-db does not exist → ${mend}`,
    ]);
    expect(of("couldn't find key password in Secret ns/mlflow-db", 20)).to.deep.equal([
      `! container mlflow of pod mlflow-7d cannot be made: Secret mlflow-db has no key password → ${mend}`,
    ]);
    expect(
      of('container has runAsNonRoot and image will run as root (pod: "x_ns(1)", container: mlflow)', 20),
    ).to.deep.equal([
      "! container mlflow of pod mlflow-7d cannot be made: container has runAsNonRoot and image will run as root → Correct the pod's specification.",
    ]);
  });

  it("tells a failing init container as such, and a model that cannot be fetched", () => {
    const waits: ContainerNow = { state: waiting("PodInitializing") };
    const fails: ContainerNow = { state: backOff, last: ended(1, 14, 14), restarts: 2 };
    const init = (name: string, args: string[]) => ({
      pods: [
        pod("model-5d", { init: { [name]: { ...fails, spec: { args } } }, containers: { house: waits } }),
      ],
    });
    expect(told(init("migrate", []), 16)).to.deep.equal([
      "! init container migrate of pod model-5d fails (exit code 1, 2 restarts) → Its log says why: kubectl -n ns logs model-5d -c migrate --previous",
    ]);
    expect(told(init("house-model-initializer", ["s3://models/house", "/mnt/models"]), 16)).to.deep.equal([
      "! the model at s3://models/house cannot be fetched: init container house-model-initializer of pod model-5d fails (exit code 1, 2 restarts) → Check that the address exists, and that the model's Secret opens its store.",
    ]);
  });

  it("tells what a probe meets, of this run alone", () => {
    const pods = mlflow({ state: running(10) });
    const probe = (message: string, to: number) => [
      event("mlflow-7d", "Unhealthy", message, { from: 5, to, count: 25, container: "mlflow" }),
    ];
    const refused =
      'Readiness probe failed: Get "http://10.244.0.89:8080/health": dial tcp 10.244.0.89:8080: connect: connection refused';
    const mend = "Its log may say what it waits for: kubectl -n ns logs mlflow-7d -c mlflow";
    expect(told({ ...pods, events: probe(refused, 40) }, 42)).to.deep.equal([
      `container mlflow of pod mlflow-7d runs for 32 s and is not ready: its readiness probe meets nobody who listens on port 8080 → ${mend}`,
    ]);
    const reason = (message: string) => findings({ ...pods, events: probe(message, 40) }, 42)[0]?.what;
    expect(reason("Readiness probe failed: HTTP probe failed with statuscode: 503")).to.contain(
      "meets HTTP status 503",
    );
    expect(reason("Startup probe failed: not yet\n")).to.contain('its startup probe meets "not yet"');
    expect(reason('Readiness probe failed: Get "http://10.0.0.1:80/": context deadline exceeded')).to.contain(
      "its readiness probe meets no answer in time",
    );
    const wrong =
      "row 0: answers 1.465 where training answered 5.895; trained with xgboost 3.1.3, the server has 2.1.4";
    expect(told({ ...pods, events: probe(`Startup probe failed: ${wrong}\n`, 40) }, 42)).to.deep.equal([
      `! container mlflow of pod mlflow-7d does not answer as at training: ${wrong} → Train the model with the library ` +
        "version that the server has. Until then the version before goes on serving.",
    ]);
    for (const example of [
      'its input example is not answered: the server answers 400: {"error":"the model does not take this"}',
      "its input example is answered wrongly: values in a row: 1, where its signature says 2",
    ])
      expect(told({ ...pods, events: probe(`Startup probe failed: ${example}\n`, 40) }, 42)).to.deep.equal([
        `! container mlflow of pod mlflow-7d does not go into service: ${example} → Log the model with an example that ` +
          "it answers, and with the signature of what its server answers; then: npm run models -- update. Until then " +
          "the version before goes on serving.",
      ]);
    for (const [said, way] of [
      [
        "its input example is answered otherwise than by its own libraries: value 0 is 2, where 1 is expected; computed with xgboost 3.1.3",
        "Take server: mlflow, which has the model's own libraries; or, if both answers are right, parity: off.",
      ],
      [
        "its answers cannot be compared: mlplatform-answers.json is missing",
        "Its own libraries compute the file again, and a new pod fetches it: npm run up.",
      ],
    ] as const)
      expect(told({ ...pods, events: probe(`Startup probe failed: ${said}\n`, 40) }, 42)).to.deep.equal([
        `! container mlflow of pod mlflow-7d does not go into service: ${said} → ${way} Until then the version before ` +
          "goes on serving.",
      ]);
    expect(told({ ...pods, events: probe(refused, 8) }, 42)).to.deep.equal([
      "container mlflow of pod mlflow-7d runs for 32 s and is not ready yet",
    ]);
  });

  it("says what a slow start is at", () => {
    const starting = pod("a", { containers: { main: { state: waiting("ContainerCreating") } } });
    const pulling = event("a", "Pulling", 'Pulling image "app:1"', { from: 4, container: "main" });
    expect(told({ pods: [starting], events: [pulling] }, 30)).to.deep.equal([
      "image app:1 is being pulled for 26 s (pod a)",
    ]);
    expect(told({ pods: [starting] }, 30)).to.deep.equal(["pod a is being started for 30 s"]);
    const init = {
      init: { fetch: { state: running(2) } },
      containers: { main: { state: waiting("PodInitializing") } },
    };
    expect(told({ pods: [pod("a", init)] }, 30)).to.deep.equal([
      "init container fetch of pod a runs for 28 s",
    ]);
    const delayed = { state: running(2), spec: { readinessProbe: { initialDelaySeconds: 60 } } };
    expect(told({ pods: [pod("a", { containers: { main: delayed } })] }, 30)).to.deep.equal([
      "container main of pod a runs for 28 s and is not ready yet; it is first asked after 60 s",
    ]);
  });

  it("tells what a pod waits to mount, but not the kubelet's own delay", () => {
    const pods = [pod("a", { containers: { main: { state: waiting("ContainerCreating") } } })];
    const mount = (message: string) => [event("a", "FailedMount", message, { from: 2, to: 40, count: 7 })];
    expect(
      told(
        { pods, events: mount('MountVolume.SetUp failed for volume "d" : secret "absent" not found') },
        22,
      ),
    ).to.deep.equal([
      "! pod a waits for Secret absent, which does not exist → What is there: kubectl -n ns get secrets,configmaps",
    ]);
    const attach = event(
      "a",
      "FailedAttachVolume",
      'Multi-Attach error for volume "pvc-1" Volume is already used',
      {
        from: 2,
      },
    );
    expect(told({ pods, events: [attach] }, 60)).to.deep.equal([
      "pod a waits for volume pvc-1: another node still holds it → See why: kubectl -n ns describe pod a",
    ]);
    const sync = 'MountVolume.SetUp failed for volume "b" : failed to sync configmap cache: timed out';
    expect(told({ pods, events: mount(sync) }, 22)).to.deep.equal(["pod a is being started for 22 s"]);
  });

  it("says nothing of what is well, has ended, or is going", () => {
    const crash: ContainerNow = { state: backOff, last: ended(1, 1, 1), restarts: 5 };
    const pods = [
      pod("well", { containers: { main: { state: running(1), ready: true } } }),
      pod("done", { status: { phase: "Succeeded" }, containers: { main: { state: ended(0, 1, 2) } } }),
      pod("going", { metadata: { deletionTimestamp: "now" }, containers: { main: crash } }),
      pod("orphan", { metadata: of("ReplicaSet", "gone"), containers: { main: crash } }),
    ];
    expect(findings({ pods, namespace: { metadata: meta("ns") } }, 60)).to.deep.equal([]);
  });
});

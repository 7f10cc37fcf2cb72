import { expect } from "chai";

import type { NamespaceView } from "../../../cli/cluster/diagnosis/scene";
import { at, ended, event, findings, meta, of, pod, running, told, waiting } from "./support";

const crash = { main: { state: waiting("CrashLoopBackOff"), last: ended(1, 14, 14), restarts: 2 } };
const well = { main: { state: running(1), ready: true } };

describe("diagnosis of versions", () => {
  const deployment = (name: string, more = {}) => ({
    metadata: meta(name, { generation: 2, annotations: { "meta.helm.sh/release-name": "mlflow" }, ...more }),
    status: { observedGeneration: 2 },
  });
  const set = (owner: string, revision: number, conditions: { status: string; type: string }[] = []) => ({
    metadata: meta(`${owner}-${revision}`, {
      ...of("Deployment", owner),
      annotations: { "deployment.kubernetes.io/revision": String(revision) },
    }),
    status: { replicas: 0, conditions },
  });
  const podOf = (name: string, containers: typeof crash | typeof well) =>
    pod(`${name}-x`, { metadata: of("ReplicaSet", name), containers });

  it("looks only at a Deployment's latest ReplicaSet", () => {
    const view = { deployments: [deployment("web")], replicaSets: [set("web", 9), set("web", 10)] };
    expect(findings({ ...view, pods: [podOf("web-9", crash), podOf("web-10", well)] }, 16)).to.deep.equal([]);
    const [finding, ...others] = findings(
      { ...view, pods: [podOf("web-9", well), podOf("web-10", crash)] },
      16,
    );
    expect(finding).to.deep.include({
      object: { kind: "Pod", namespace: "ns", name: "web-10-x" },
      release: "mlflow",
      severity: "error",
    });
    expect(others).to.deep.equal([]);
  });

  it("waits for a controller that has not looked at its latest change", () => {
    const stale = { metadata: meta("web", { generation: 3 }), status: { observedGeneration: 2 } };
    const view = { replicaSets: [set("web", 9)], pods: [podOf("web-9", crash)] };
    expect(findings({ ...view, deployments: [stale] }, 16)).to.deep.equal([]);
    expect(findings({ ...view, deployments: [] }, 16)).to.deep.equal([]);
  });

  it("looks only at the Deployments that a model still wants", () => {
    const labels = { labels: { "seldon-deployment-id": "house" }, annotations: {} };
    const view = (predictor: string): Partial<NamespaceView> => ({
      models: [{ metadata: { name: "house" }, spec: { predictors: [{ name: predictor }] } }],
      deployments: [deployment("house-default-1a-0-m", labels)],
      replicaSets: [set("house-default-1a-0-m", 1)],
      pods: [podOf("house-default-1a-0-m-1", crash)],
    });
    expect(findings(view("default-2b"), 16)).to.deep.equal([]);
    expect(findings(view("default-1a"), 16)[0]).to.include({ model: "house", severity: "error" });
  });

  it("is not led astray by a former version whose hash looks like the number of a component", () => {
    const labels = { labels: { "seldon-deployment-id": "house" }, annotations: {} };
    const view: Partial<NamespaceView> = {
      models: [{ metadata: { name: "house" }, spec: { predictors: [{ name: "default" }] } }],
      deployments: [deployment("house-default-123456-0-m", labels)],
      replicaSets: [set("house-default-123456-0-m", 1)],
      pods: [podOf("house-default-123456-0-m-1", crash)],
    };
    expect(findings(view, 16)).to.deep.equal([]);
  });

  it("waits until the operator has looked at a Deployment that goes from version to version", () => {
    const name = "house-default-scaled-0-m";
    const labels = (version: string) => ({ "mlplatform/version": version });
    const view = (version: string): Partial<NamespaceView> => ({
      models: [
        {
          metadata: { name: "house" },
          spec: { predictors: [{ name: "default-scaled", labels: labels("2b") }] },
        },
      ],
      deployments: [
        deployment(name, {
          labels: { "seldon-deployment-id": "house", ...labels(version) },
          annotations: {},
        }),
      ],
      replicaSets: [set(name, 1)],
      pods: [podOf(`${name}-1`, crash)],
    });
    expect(findings(view("1a"), 16)).to.deep.equal([]);
    expect(findings(view("2b"), 16)[0]).to.include({ model: "house", severity: "error" });
  });

  describe("of a StatefulSet", () => {
    const sets = (more = {}, replicas = 1) => [
      {
        metadata: meta("db", { generation: 2 }),
        spec: { selector: {}, template: {}, replicas: 1, ...more },
        status: { observedGeneration: 2, replicas, currentRevision: "db-1", updateRevision: "db-2" },
      },
    ];
    const of1 = (revision: string, containers: Parameters<typeof pod>[1]) =>
      pod("db-0", {
        ...containers,
        metadata: { ...of("StatefulSet", "db"), labels: { "controller-revision-hash": revision } },
      });

    it("finds the pod of a former revision that blocks the new one", () => {
      const [finding] = findings({ statefulSets: sets(), pods: [of1("db-1", { containers: crash })] }, 16);
      expect(finding).to.deep.include({
        cause: "stuck",
        what: "pod db-0 is of the former version and blocks the new one: container main of pod db-0 crashes (exit code 1, 2 restarts)",
        mend: "Make room for the new one: kubectl -n ns delete pod db-0",
        severity: "warning",
        stuckPod: true,
      });
    });

    it("finds one that has failed its probe for a minute", () => {
      const pods = [of1("db-1", { containers: { main: { state: running(0) } } })];
      const events = [
        event("db-0", "Unhealthy", "Readiness probe failed: no", { from: 2, to: 90, container: "main" }),
      ];
      expect(findings({ statefulSets: sets(), pods, events }, 30)).to.deep.equal([]);
      expect(findings({ statefulSets: sets(), pods, events }, 60)[0]?.stuckPod).to.equal(true);
    });

    it("leaves alone what may still get ready, and what is replaced anyhow", () => {
      const starting = of1("db-1", { containers: { main: { state: running(0) } } });
      expect(findings({ statefulSets: sets(), pods: [starting] }, 600)).to.deep.equal([]);
      const pods = [of1("db-1", { containers: crash })];
      expect(findings({ statefulSets: sets({ podManagementPolicy: "Parallel" }), pods }, 16)).to.deep.equal(
        [],
      );
    });

    it("tells a pod of the present revision as any other", () => {
      const [finding] = findings({ statefulSets: sets(), pods: [of1("db-2", { containers: crash })] }, 16);
      expect(finding).to.include({ cause: "crash", severity: "error" });
      expect(finding).not.to.have.property("stuckPod");
    });

    it("tells that it may not make its pods, unless it has since", () => {
      const message =
        'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: error looking up service account ns/db: serviceaccount "db" not found';
      const refused = event("db", "FailedCreate", message, { from: 1, to: 30, count: 14 });
      expect(told({ statefulSets: sets({}, 0), events: [refused] }, 31)).to.deep.equal([
        "! StatefulSet db may not make its pods: ServiceAccount db does not exist → Make the ServiceAccount, or correct its name.",
      ]);
      const made = event("db", "SuccessfulCreate", "create Pod db-0 successful", { from: 31 });
      expect(told({ statefulSets: sets({}, 0), events: [refused, made] }, 32)).to.deep.equal([]);
    });
  });

  describe("of a ReplicaSet that may not make its pods", () => {
    const refused = (message: string, from = 0) => ({
      deployments: [deployment("web")],
      replicaSets: [
        set("web", 1, [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }] as never),
      ],
      events: [event("web-1", "FailedCreate", `Error creating: ${message}`, { from })],
    });
    const quota =
      'pods "web-1-x" is forbidden: exceeded quota: small, requested: requests.memory=200Mi, used: requests.memory=0, limited: requests.memory=100Mi';

    it("tells a quota, which a pod that is leaving gives back", () => {
      const leaving = pod("old", { metadata: { deletionTimestamp: at(0) } });
      const text =
        "Deployment web may not make its pods: one asks for requests.memory=200Mi, and quota small allows requests.memory=100Mi in all (used: requests.memory=0) → Raise the namespace's quota, or ask for less in the stack configuration.";
      expect(told(refused(quota), 3)).to.deep.equal([text]);
      expect(told({ ...refused(quota), pods: [leaving] }, 20)).to.deep.equal([text]);
      expect(told(refused(quota), 20)).to.deep.equal([`! ${text}`]);
      // The Deployment's own age does not count.
      expect(told(refused(quota, 5000), 5003)).to.deep.equal([text]);
    });

    it("tells Pod Security and webhooks", () => {
      expect(
        told(
          refused(
            'pods "web-1-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
          ),
          20,
        ),
      ).to.deep.equal([
        "! Deployment web may not make its pods: Pod Security level restricted forbids allowPrivilegeEscalation != false, runAsNonRoot != true → Give the pods a securityContext that complies, or the namespace another level.",
      ]);
      expect(
        told(
          refused(
            'Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ns.svc:443/x?timeout=10s": service "hook" not found',
          ),
          60,
        ),
      ).to.deep.equal([
        '! Deployment web cannot make its pods: webhook pods.example.com does not answer (service "hook" not found) → If what serves the webhook is gone for good, delete its ValidatingWebhookConfiguration or MutatingWebhookConfiguration.',
      ]);
      expect(
        told(
          refused(
            'Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ns.svc:443/x?timeout=10s": no endpoints available for service "hook"',
          ),
          60,
        ),
      ).to.deep.equal([
        'Deployment web cannot make its pods: webhook pods.example.com does not answer (no endpoints available for service "hook") → If what serves the webhook is gone for good, delete its ValidatingWebhookConfiguration or MutatingWebhookConfiguration.',
      ]);
      expect(
        told(
          refused(
            'pods "web-1-x" is forbidden: [maximum memory usage per Container is 64Mi, but limit is 1Gi]',
          ),
          20,
        ),
      ).to.deep.equal([
        "! Deployment web may not make its pods: by a LimitRange of the namespace, maximum memory usage per Container is 64Mi, but limit is 1Gi → Change the LimitRange (kubectl get limitrange --all-namespaces), or what the stack configuration asks for.",
      ]);
      expect(
        told(refused('admission webhook "pods.example.com" denied the request: no latest tag'), 20),
      ).to.deep.equal([
        "! Deployment web may not make its pods: webhook pods.example.com says: no latest tag",
      ]);
    });
  });
});

describe("diagnosis of a namespace that is being deleted", () => {
  const ending = (more: NonNullable<NonNullable<NamespaceView["namespace"]>["status"]>) => ({
    namespace: {
      metadata: meta("ns", { deletionTimestamp: at(0) }),
      status: { phase: "Terminating", ...more },
    },
  });
  const held = ending({
    conditions: [
      {
        ...{ type: "NamespaceContentRemaining", status: "True", lastTransitionTime: at(5) },
        message: "Some resources are remaining: configmaps. has 1 resource instances",
      },
      {
        ...{ type: "NamespaceFinalizersRemaining", status: "True", lastTransitionTime: at(5) },
        message:
          "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
      },
    ],
  });

  it("tells the finalizers that hold it, and nothing else", () => {
    expect(told({ ...held, claims: [{ metadata: meta("c"), status: { phase: "Lost" } }] }, 25)).to.deep.equal(
      [
        "! namespace ns is being deleted for 25 s: what holds it are finalizers (example.com/hold) of 1 configmaps → Bring back the controller that the finalizers belong to, or remove them from the objects.",
      ],
    );
  });

  it("waits as long as pods are ending", () => {
    const pods = [pod("a", { metadata: { deletionTimestamp: at(0) } })];
    expect(findings({ ...held, pods }, 60)[0]?.severity).to.equal("warning");
    expect(told({ ...ending({}), pods }, 12)).to.deep.equal([
      "namespace ns is being deleted for 12 s: pods are still ending (1)",
    ]);
  });

  it("tells an API that does not answer", () => {
    const message =
      "Discovery failed for some groups, 1 failing: metrics.k8s.io/v1beta1: stale GroupVersion discovery";
    const type = "NamespaceDeletionDiscoveryFailure";
    expect(
      told(ending({ conditions: [{ type, status: "True", message, lastTransitionTime: at(1) }] }), 30),
    ).to.deep.equal([
      `! namespace ns is being deleted for 30 s: ${message} → Bring back, or remove, the API that does not answer: kubectl get apiservices`,
    ]);
  });
});

describe("the order of findings", () => {
  it("has the hopeless first, then the most telling", () => {
    const pods = [
      pod("slow", { containers: { main: { state: running(0) } } }),
      pod("image", { containers: { main: { state: waiting("ErrImagePull", "not found") } } }),
      pod("once", { containers: { main: { state: ended(1, 10, 11) } } }),
      pod("often", { containers: crash }),
    ];
    expect(findings({ pods }, 16).map(({ object }) => object.name)).to.deep.equal([
      "often",
      "image",
      "once",
      "slow",
    ]);
  });
});

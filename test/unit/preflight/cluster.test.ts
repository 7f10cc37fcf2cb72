import { expect } from "chai";

import type { Context } from "../../../cli/cluster/kubeconfig";
import type { ImageUse } from "../../../cli/plan/images";
import type { PodRequest } from "../../../cli/plan/requests";
import { architectureProblems } from "../../../cli/preflight/architecture";
import { namespaceProblems } from "../../../cli/preflight/obstacles";
import { permissionProblems } from "../../../cli/preflight/permissions";
import { prerequisiteProblems } from "../../../cli/preflight/prerequisites";
import { roomProblems } from "../../../cli/preflight/room";
import { storageProblems } from "../../../cli/preflight/storage";
import { versionProblems } from "../../../cli/preflight/version";
import { installationsOfOthers } from "../../../cli/serving/seldon/otherInstallation";
import { images as pinned } from "../../../pins";
import { node } from "../cluster/nodes";

const error = (what: string, mend: string) => ({ severity: "error", what, mend });
const warning = (what: string, mend: string) => ({ severity: "warning", what, mend });
const GiB = 2 ** 30;

describe("pre-flight: the cluster's version", () => {
  it("is one that the platform needs and has been tried on", () => {
    for (const found of ["v1.25.0", "v1.29.10-gke.1000", "v1.34.4", "v1.33.1+k3s1"])
      expect(versionProblems(found), found).to.deep.equal([]);
    expect(versionProblems("v1.24.17")).to.deep.equal([
      error(
        "the cluster runs Kubernetes v1.24.17, and the platform needs 1.25 or newer",
        "Upgrade the cluster; a minikube is made anew with: minikube start --kubernetes-version=v1.34.0",
      ),
    ]);
    expect(versionProblems("v1.36.0")).to.deep.equal([
      warning(
        "the cluster runs Kubernetes v1.36.0, and the platform has been tried on 1.34 at most",
        "Go on; what does not work there is worth an issue",
      ),
    ]);
    expect(versionProblems("devel")).to.deep.equal([]);
  });
});

describe("pre-flight: CPU and memory", () => {
  const where = (kind: Context["kind"] = "minikube", profile = "minikube") => ({
    context: { name: "lab", kind, profile, server: "" },
    stack: "dev",
  });
  const ask = (cpu: number, memory: number, more: Partial<PodRequest> = {}): PodRequest => ({
    maker: "Release mlflow",
    pods: 1,
    each: { cpu, memory: memory * GiB },
    ends: false,
    ...more,
  });
  const pod = (nodeName: string, cpu: string, memory: string) => ({
    spec: { nodeName, containers: [{ name: "it", resources: { requests: { cpu, memory } } }] },
  });
  const largerMinikube =
    "Make a larger one (what is in it is lost): minikube delete, then minikube start --cpus=4 --memory=6g; " +
    "or ask for less in Pulumi.dev.yaml";

  it("suffice beside what others have, where jobs run one after the other", () => {
    const asked = [ask(3000, 4), ask(500, 1, { ends: true, pods: 1 }), ask(400, 1, { ends: true })];
    expect(roomProblems([node()], [pod("minikube", "500m", "1Gi")], asked, where())).to.deep.equal([]);
  });

  it("are too little, by how much and what to do about it", () => {
    const others = [pod("minikube", "750m", "170Mi"), pod("elsewhere", "3", "4Gi")];
    const asked = [ask(1500, 2, { pods: 2 }), ask(500, 3, { ends: true })];
    expect(roomProblems([node()], others, asked, where())).to.deep.equal([
      error(
        "the stack asks for 3.5 CPUs, and the cluster has 3.25 CPUs left (of 4 CPUs on 1 node; other pods have the rest)",
        largerMinikube,
      ),
      error(
        "the stack asks for 7 GiB, and the cluster has 5.83 GiB left (of 6 GiB on 1 node; other pods have the rest)",
        largerMinikube,
      ),
    ]);
  });

  it("have a mend for each kind of cluster", () => {
    const mend = (kind: Context["kind"], profile = "lab") =>
      roomProblems([node()], [], [ask(9000, 1)], where(kind, profile)).map(
        (one) => one.mend?.split("; or")[0],
      );
    expect(mend("minikube")).to.deep.equal([
      "Make a larger one (what is in it is lost): minikube delete -p lab, then minikube start -p lab --cpus=4 --memory=6g",
    ]);
    expect(mend("docker-desktop")).to.deep.equal([
      "Give Docker Desktop 4 CPUs and 6 GiB: Settings > Resources",
    ]);
    expect(mend("orbstack")).to.deep.equal(["Give OrbStack 4 CPUs and 6 GiB: Settings > System"]);
    expect(mend("rancher-desktop")).to.deep.equal([
      "Give Rancher Desktop 4 CPUs and 6 GiB: Preferences > Virtual Machine",
    ]);
    for (const kind of ["kind", "k3d"] as const)
      expect(mend(kind)).to.deep.equal([
        "Give the machine that Docker runs on 4 CPUs and 6 GiB, or stop other things in the cluster",
      ]);
    expect(mend("remote")).to.deep.equal(["Add a node, or stop other things in the cluster"]);
  });

  it("suffice together, and on no node for the largest pod", () => {
    const nodes = [node({ name: "a", cpu: "1" }), node({ name: "b", cpu: "1500m" })];
    expect(
      roomProblems(nodes, [], [ask(2000, 1), ask(100, 1, { maker: "Job setup" })], where("remote")),
    ).to.deep.equal([
      error(
        "a pod of Release mlflow asks for 2 CPUs and 1 GiB, and none of 2 nodes has that much left",
        "Add a node, or stop other things in the cluster; or ask for less in Pulumi.dev.yaml",
      ),
    ]);
  });

  it("are those of nodes that take pods", () => {
    const cordoned = node({ name: "b", cordoned: true });
    const tainted = node({ name: "c", taints: [{ key: "gpu", effect: "NoSchedule" }] });
    const preferred = node({ name: "d", taints: [{ key: "spot", effect: "PreferNoSchedule" }] });
    expect(roomProblems([cordoned, tainted, preferred], [], [ask(3000, 1)], where())).to.deep.equal([]);
    expect(roomProblems([cordoned, tainted], [], [ask(3000, 1)], where())).to.deep.equal([
      error(
        "no node takes pods: all are cordoned or tainted",
        "Free one: kubectl --context lab uncordon NODE, or remove the taint",
      ),
    ]);
  });

  it("are none where no node is ready, and less where one is not", () => {
    const down = node({ name: "b", down: "container runtime network not ready" });
    const look = "Look why: kubectl --context lab describe node b";
    expect(roomProblems([down], [], [ask(1, 1)], where())).to.deep.equal([
      error(
        "no node takes pods: b is not ready (container runtime network not ready)",
        `Wait a minute, if it has just been started. ${look}`,
      ),
    ]);
    expect(roomProblems([down, node()], [], [ask(1, 1)], where())).to.deep.equal([
      warning("b is not ready (container runtime network not ready)", look),
    ]);
  });
});

describe("pre-flight: storage classes", () => {
  const volume = (release: string, storageClass?: string) => ({ release, namespace: release, storageClass });
  const storageClass = (name: string, isDefault = false) => ({
    metadata: {
      name,
      annotations: { "storageclass.kubernetes.io/is-default-class": String(isDefault) },
    },
    provisioner: "test",
  });
  const setting = "database.storage.storageClass and objectStore.storage.storageClass in Pulumi.dev.yaml";

  it("are there, by name or as the default", () => {
    const volumes = [volume("postgresql"), volume("minio", "fast")];
    expect(
      storageProblems(volumes, [storageClass("standard", true), storageClass("fast")], "kind", "dev"),
    ).to.deep.equal([]);
    expect(storageProblems([], [], "kind", "dev")).to.deep.equal([]);
  });

  it("lack a default", () => {
    const volumes = [volume("postgresql"), volume("minio")];
    expect(
      storageProblems(volumes, [storageClass("slow"), storageClass("fast")], "remote", "dev"),
    ).to.deep.equal([
      error(
        "no storage class is the cluster's default, and the volumes of postgresql and minio name none; there are slow and fast",
        `Name one: ${setting}; or mark one as the default`,
      ),
    ]);
    expect(storageProblems(volumes, [], "minikube", "dev")).to.deep.equal([
      error(
        "no storage class is the cluster's default, and the volumes of postgresql and minio name none; there are none at all",
        "Switch minikube's on: minikube addons enable storage-provisioner, and default-storageclass",
      ),
    ]);
  });

  it("lack the one that is named", () => {
    expect(
      storageProblems([volume("minio", "fast")], [storageClass("standard", true)], "kind", "dev"),
    ).to.deep.equal([
      error(
        "there is no storage class fast, which the volume of minio names; there are standard",
        `Name another: ${setting}`,
      ),
    ]);
  });
});

describe("pre-flight: the nodes' architecture", () => {
  const use = (pin: ImageUse["pin"]): ImageUse => ({ reference: "", pin, resources: [], built: false });
  const seldon = [use(pinned.mlserverSklearn), use(pinned.postgres)];
  const arm = node({ architecture: "arm64" });
  const what = "seldonio/mlserver is published for amd64 alone, and the cluster has nodes that are arm64";
  const mirror = "or build them for it, and name the registry that has them: mirror.images";

  it("is any where Seldon's images are not used, and amd64 where they are", () => {
    expect(architectureProblems([arm], [use(pinned.postgres)], "remote")).to.deep.equal([]);
    expect(architectureProblems([node()], seldon, "remote")).to.deep.equal([]);
    const reserved = node({ architecture: "arm64", cordoned: true });
    expect(architectureProblems([node(), reserved], seldon, "remote")).to.deep.equal([]);
  });

  it("is said early where it is arm64", () => {
    expect(architectureProblems([arm], seldon, "docker-desktop")).to.deep.equal([
      warning(
        `${what}: they run, slower, where the machine emulates amd64, else end with "exec format error"`,
        `Switch emulation on (Rosetta or QEMU in the settings of Docker's machine), ${mirror}`,
      ),
    ]);
    expect(architectureProblems([arm], seldon, "remote")).to.deep.equal([
      error(`${what}: their pods would end with "exec format error"`, `Add a node that is amd64, ${mirror}`),
    ]);
    expect(architectureProblems([arm, node()], seldon, "remote")).to.deep.equal([
      warning(
        `${what}: pods that come to lie there end with "exec format error"`,
        "Keep those nodes for others with a taint",
      ),
    ]);
  });
});

describe("pre-flight: permissions", () => {
  it("are missing, all in one line", () => {
    const namespaces = { group: "", resource: "namespaces", namespace: "" };
    const jobs = { group: "batch", resource: "jobs", namespace: "mlflow" };
    const secrets = ["mlflow", "postgres", "minio-system"].map((namespace) => ({
      ...{ group: "", resource: "secrets", namespace },
    }));
    const wanted = [namespaces, jobs, ...secrets];
    expect(permissionProblems([], wanted, "lab")).to.deep.equal([]);
    const mend =
      "Ask whoever runs the cluster for these rights (the ClusterRole cluster-admin has all), or use another context";
    expect(permissionProblems([namespaces, jobs, ...secrets.slice(1)], wanted, "lab")).to.deep.equal([
      error(
        "the user of context lab may not create namespaces, jobs.batch and secrets (in postgres and minio-system)",
        mend,
      ),
    ]);
    expect(permissionProblems(secrets, wanted, "lab")).to.deep.equal([
      error("the user of context lab may not create secrets", mend),
    ]);
  });
});

describe("pre-flight: what the cluster has to bring with it", () => {
  const resource = (type: string, inputs: Readonly<Record<string, unknown>>) => ({
    type,
    name: "",
    urn: "",
    parent: "",
    custom: true,
    provider: "",
    inputs,
    secretPaths: [],
    dependencies: [],
    propertyDependencies: {},
    options: {},
  });
  const release = (values: object) => resource("kubernetes:helm.sh/v3:Release", { values });

  it("is there, or not asked for", () => {
    const resources = [
      release({ certManager: { enabled: false }, metrics: { serviceMonitor: { enabled: false } } }),
    ];
    expect(prerequisiteProblems({ resources }, [], "dev")).to.deep.equal([]);
    const wanted = [release({ certManager: { enabled: true } })];
    expect(prerequisiteProblems({ resources: wanted }, ["cert-manager.io"], "dev")).to.deep.equal([]);
  });

  it("is missing: each thing that the values of charts, or kinds of resources, ask for", () => {
    const resources = [
      release({ certManager: { enabled: true }, istio: { enabled: true } }),
      resource("kubernetes:monitoring.coreos.com/v1:PodMonitor", {}),
      resource("kubernetes:machinelearning.seldon.io/v1:SeldonDeployment", {
        spec: { predictors: [{ componentSpecs: [{ hpaSpec: {} }] }] },
      }),
    ];
    const prometheus =
      "https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack";
    expect(prerequisiteProblems({ resources }, ["apps"], "dev")).to.deep.equal([
      error(
        "the cluster has no cert-manager, which the configuration asks for: serving.certificate: cert-manager",
        "Install cert-manager (https://cert-manager.io/docs/installation/helm/), or take the setting out of Pulumi.dev.yaml",
      ),
      error(
        "the cluster has no Istio, which the configuration asks for: serving.istio",
        "Install Istio (https://istio.io/latest/docs/setup/install/), or take the setting out of Pulumi.dev.yaml",
      ),
      warning(
        "the cluster has no metrics-server, which the configuration asks for: models[].autoscaling",
        "Install metrics-server (https://github.com/kubernetes-sigs/metrics-server), or take the setting out of Pulumi.dev.yaml",
      ),
      error(
        "the cluster has no Prometheus operator, which the configuration asks for: monitoring.enabled: true",
        `Install the Prometheus operator (${prometheus}), or take the setting out of Pulumi.dev.yaml`,
      ),
    ]);
  });
});

describe("pre-flight: what is in the cluster already", () => {
  const owner = "mlplatform";
  const planned = ["mlflow", "postgres", "fe"].map((name) => ({ name, owner }));
  const namespace = (name: string, part?: string, deletionTimestamp?: string) => ({
    metadata: {
      name,
      labels: part === undefined ? {} : { "app.kubernetes.io/part-of": part },
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
  });

  const problems = (found: Parameters<typeof namespaceProblems>[1], deployed = false) =>
    namespaceProblems(planned, found, {
      deployed,
      owner: { id: "me", state: "here:/state" },
      target: { stack: "dev", context: { name: "lab" } },
    });

  it("is nothing of others where the namespaces are ours, or not there", () => {
    expect(problems([namespace("default")])).to.deep.equal([]);
    expect(problems([namespace("mlflow", owner)], true)).to.deep.equal([]);
  });

  it("is a namespace of somebody else, one that is going, one that was left", () => {
    const found = [
      namespace("mlflow", "other"),
      namespace("postgres", owner, "2026"),
      namespace("fe", owner),
    ];
    expect(problems(found)).to.deep.equal([
      error(
        "namespace postgres is being deleted",
        "Wait until it is gone; what holds it up: kubectl --context lab get namespace postgres -o yaml",
      ),
      error(
        "namespace mlflow is somebody else's: no label app.kubernetes.io/part-of=mlplatform",
        "Use another cluster, or delete what nobody needs any more",
      ),
      warning(
        "namespace fe is there and labelled as the platform's, though nothing of this stack is known to be there: " +
          "kept when the stack was brought down, or another one's",
        "Go on if this stack kept them; another one's would be taken over, so give this one a cluster of its own",
      ),
    ]);
  });

  it("is a namespace with the mark of another state, or of another stack, whatever was brought up from here", () => {
    const marked = (id: string, stack: string, part = owner) => {
      const { metadata } = namespace("mlflow", part);
      const annotations = {
        "mlplatform/owner": id,
        "mlplatform/stack": stack,
        "mlplatform/state": "there:/state",
      };
      return { metadata: { ...metadata, annotations } };
    };
    for (const deployed of [true, false]) {
      for (const part of [owner, ""])
        expect(problems([marked("me", "dev", part)], deployed), `label: ${part}`).to.deep.equal([]);
      expect(problems([marked("you", "dev")], deployed)).to.deep.equal([
        error(
          "namespace mlflow belongs to stack dev, whose state is in there:/state; this is stack dev, with its state in here:/state",
          "Work from there, or bring that state here, with stacks and passphrase, which lie beside it. If Pulumi's own commands have moved it: " +
            "kubectl --context lab annotate namespace mlflow --overwrite mlplatform/owner=me",
        ),
      ]);
      expect(problems([marked("you", "staging")], deployed).map(({ mend }) => mend)).to.deep.equal([
        "Give this one a cluster of its own, or remove the other from there: npm run down -- --stack staging",
      ]);
    }
  });

  it("is several namespaces", () => {
    const found = [namespace("mlflow"), namespace("postgres")];
    expect(problems(found).map(({ what }) => what)).to.deep.equal([
      "namespaces mlflow and postgres are somebody else's: no label app.kubernetes.io/part-of=mlplatform",
    ]);
  });

  const release = { name: "seldon-core-operator", namespace: "seldon-system" };
  const owned = (name: string, by?: string, namespace = "seldon-system") => ({
    metadata: {
      name,
      ...(by && {
        annotations: { "meta.helm.sh/release-name": by, "meta.helm.sh/release-namespace": namespace },
      }),
    },
  });
  const kind = "seldondeployments.machinelearning.seldon.io";
  const definition = (by?: string, namespace?: string) =>
    owned(kind, by, namespace) as unknown as Parameters<typeof installationsOfOthers>[1];

  it("is no Seldon, or ours", () => {
    expect(installationsOfOthers(release, undefined, [owned("cert-manager-webhook")], "lab")).to.deep.equal(
      [],
    );
    const webhook = owned("seldon-validating-webhook-configuration-seldon-system", release.name);
    expect(installationsOfOthers(release, definition(release.name), [webhook], "lab")).to.deep.equal([]);
  });

  it("is a Seldon of somebody else, by its kind of resource or by its webhook", () => {
    const uninstall = "helm --kube-context lab uninstall seldon-core --namespace kubeflow";
    expect(installationsOfOthers(release, definition("seldon-core", "kubeflow"), [], "lab")).to.deep.equal([
      error(
        `the cluster has a Seldon of somebody else, and can have one only: ${kind} of release seldon-core in namespace kubeflow`,
        `Use another cluster, or remove it with all it serves: ${uninstall}`,
      ),
    ]);
    const webhook = owned("seldon-validating-webhook-configuration-kubeflow", "seldon-core", "kubeflow");
    expect(
      installationsOfOthers(release, definition(release.name), [webhook], "lab").map(({ what }) => what),
    ).to.deep.equal([
      "the cluster has a Seldon of somebody else, and can have one only: " +
        "seldon-validating-webhook-configuration-kubeflow of release seldon-core in namespace kubeflow",
    ]);
  });

  it("is a Seldon that was not installed with Helm", () => {
    expect(installationsOfOthers(release, definition(), [], "lab")).to.deep.equal([
      error(
        `the cluster has a Seldon that Helm did not install: ${kind}`,
        "Use another cluster, or remove it with all it serves, as it was installed; left-over kinds alone with: " +
          `kubectl --context lab delete customresourcedefinition ${kind}`,
      ),
    ]);
  });
});

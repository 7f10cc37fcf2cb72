import { mkdtempSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { reach } from "../../../cli/cluster/cluster";
import { type ClusterKind, readKubeconfig } from "../../../cli/cluster/kubeconfig";
import { type Plan, planOf } from "../../../cli/plan/plan";
import { requestsOf } from "../../../cli/plan/requests";
import { rightsFor } from "../../../cli/preflight/permissions";
import { preflight } from "../../../cli/preflight/preflight";
import type { Finding } from "../../../finding";
import { volumesOf } from "../../../cli/preflight/storage";
import { node } from "../cluster/nodes";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";
import { type TestServer, serveHttp } from "../support/servers";

const never = new AbortController().signal;

describe("pre-flight: all of it", function () {
  this.timeout(60_000);
  const kubeconfig = process.env["KUBECONFIG"];
  const fetched = globalThis.fetch;
  let plan: Plan;
  let server: TestServer;
  let tools: FakeTools;
  /** What the API server has, by address; a number is the status of a refusal, "hang" no answer at all. */
  let has: Record<string, unknown>;
  /** What the user may not create. */
  let forbidden: string[];

  const healthy = () => ({
    "/version": { gitVersion: "v1.34.4" },
    "/apis": { groups: [{ name: "apps" }] },
    "/api/v1/nodes": { items: [node()] },
    "/api/v1/pods": { items: [] },
    "/api/v1/namespaces": { items: [] },
    "/apis/storage.k8s.io/v1/storageclasses": {
      items: [
        {
          metadata: {
            name: "standard",
            annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
          },
        },
      ],
    },
  });

  async function answer(request: IncomingMessage): Promise<unknown> {
    const address = (request.url ?? "").split("?")[0] ?? "";
    if (!address.endsWith("selfsubjectaccessreviews")) return has[address];
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { spec } = JSON.parse(body) as { spec: { resourceAttributes: { verb: string; resource: string } } };
    expect(spec.resourceAttributes.verb).to.equal("create");
    return { status: { allowed: !forbidden.includes(spec.resourceAttributes.resource) } };
  }

  before(async () => {
    plan = await planOf("dev");
  });
  beforeEach(async () => {
    has = healthy();
    forbidden = [];
    tools = new FakeTools().add("docker", "echo linux/amd64");
    // No test asks a real registry.
    globalThis.fetch = () => Promise.resolve(new Response(undefined, { status: 200 }));
    server = await serveHttp((request, response) => {
      void answer(request).then((found) => {
        if (found === "hang") return;
        const status = typeof found === "number" ? found : found === undefined ? 404 : 200;
        const refused = { kind: "Status", message: `${request.url?.split("?")[0] ?? ""} is refused` };
        response.writeHead(status).end(JSON.stringify(status === 200 ? found : refused));
      });
    });
    const file = path.join(mkdtempSync(path.join(tmpdir(), "mlplatform-preflight-")), "config");
    process.env["KUBECONFIG"] = file;
    writeFileSync(
      file,
      `{apiVersion: v1, kind: Config, current-context: lab, clusters: [{name: c, cluster: {server: "${server.url}", insecure-skip-tls-verify: true}}],
        users: [{name: u, user: {}}], contexts: [{name: lab, context: {cluster: c, user: u}}]}`,
    );
  });
  afterEach(async () => {
    tools.dispose();
    globalThis.fetch = fetched;
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await server.close();
  });

  async function problems(
    kind: ClusterKind = "kind",
    deployed = false,
    signal = never,
  ): Promise<readonly Finding[]> {
    const found = await readKubeconfig();
    if ("reason" in found || found.current === undefined) throw new Error("no kubeconfig");
    const context = { ...found.current, kind };
    const reached = await reach(found, context);
    if (reached.state !== "answers") throw new Error(reached.reason);
    const { cluster, version } = reached;
    const target = { kind: "cluster", stack: "dev", context, cluster, version, reason: "" } as const;
    const owner = { id: "me", state: "here" };
    return preflight({ target, plan, deployed, owner }, signal);
  }
  const lines = (all: readonly Finding[]) =>
    all.map(({ severity, what }) => `${severity}: ${what}`.replace(/\d+ images/, "N images"));

  it("finds nothing where all is well", async () => {
    expect(await problems()).to.deep.equal([]);
  });

  it("finds all that is wrong at once, errors first", async () => {
    Object.assign(has, {
      "/version": { gitVersion: "v1.35.1" },
      "/api/v1/nodes": { items: [node({ cpu: "1", memory: "2Gi" })] },
      "/api/v1/namespaces": { items: [{ metadata: { name: "mlflow" } }] },
      "/apis/storage.k8s.io/v1/storageclasses": { items: [] },
    });
    forbidden = ["namespaces", "customresourcedefinitions"];
    globalThis.fetch = () => Promise.resolve(new Response(undefined, { status: 503 }));
    expect(lines(await problems("remote"))).to.deep.equal([
      "error: the stack asks for 1.3 CPUs, and the cluster has 1 CPU left (of 1 CPU on 1 node; other pods have the rest)",
      "error: the stack asks for 2.94 GiB, and the cluster has 2 GiB left (of 2 GiB on 1 node; other pods have the rest)",
      "error: no storage class is the cluster's default, and the volumes of postgresql and minio name none; there are none at all",
      "error: the user of context lab may not create namespaces and customresourcedefinitions.apiextensions.k8s.io",
      "error: namespace mlflow is somebody else's: no label app.kubernetes.io/part-of=mlplatform",
      "error: frontend, house-price-serve and house-price-train would be built in this machine's Docker daemon, out of reach of context lab",
      "warning: the cluster runs Kubernetes v1.35.1, and the platform has been tried on 1.34 at most",
      "warning: charts cannot be fetched from here: postgres and minio (https://registry-1.docker.io/v2/ answers 503); " +
        "seldon-core-operator (https://storage.googleapis.com/seldon-charts/index.yaml answers 503); " +
        "mlflow (https://community-charts.github.io/helm-charts/index.yaml answers 503)",
      "warning: registries that the nodes have to pull from cannot be reached from here: docker.io for N images " +
        "(https://registry-1.docker.io/v2/ answers 503)",
    ]);
  });

  it("counts what a deployed stack was granted once, and a volume that is there as there", async () => {
    const requests = { cpu: "2", memory: "3Gi" };
    const pod = (namespace: string) => ({
      metadata: { namespace },
      spec: { nodeName: "minikube", containers: [{ resources: { requests } }] },
    });
    has["/api/v1/pods"] = { items: [pod("kube-system"), pod("mlflow")] };
    expect(lines(await problems("kind", true))).to.deep.equal([]);
    expect(lines(await problems("kind", false))[0]).to.match(
      /^error: the stack asks for 1.3 CPUs, .* 0 CPUs left/,
    );

    const bound = (namespace: string) => ({
      items: [
        {
          metadata: { namespace, annotations: { "mlplatform/postgres-major": "18" } },
          status: { phase: "Bound" },
        },
      ],
    });
    has["/apis/storage.k8s.io/v1/storageclasses"] = { items: [] };
    has["/api/v1/namespaces/postgres/persistentvolumeclaims"] = bound("postgres");
    expect(lines(await problems("kind", true))).to.deep.equal([
      "error: no storage class is the cluster's default, and the volumes of minio name none; there are none at all",
    ]);
    has["/api/v1/namespaces/minio-system/persistentvolumeclaims"] = bound("minio-system");
    expect(lines(await problems("kind", true))).to.deep.equal([]);
  });

  it("says what could not be checked, and goes on with the rest", async () => {
    has["/api/v1/pods"] = 403;
    has["/apis/storage.k8s.io/v1/storageclasses"] = 500;
    expect(await problems()).to.deep.equal([
      {
        severity: "warning",
        what: "the cluster's CPU and memory could not be checked: /api/v1/pods is refused",
        mend: "Ask for the right to look, or go on if it is known to be well",
      },
      {
        severity: "warning",
        what: "the cluster's storage classes could not be checked: /apis/storage.k8s.io/v1/storageclasses is refused",
        mend: "Go on if it is known to be well",
      },
    ]);
  });

  it("waits for no answer longer than it is told to", async () => {
    has["/apis"] = "hang";
    const began = Date.now();
    // Long enough for the other checks on a busy machine, which are to say nothing.
    expect(lines(await problems())).to.deep.equal([
      "warning: what the cluster has to bring with it could not be checked: no answer within 5 s",
    ]);
    expect(Date.now() - began).to.be.lessThan(30_000);
  });

  it("ends when the command is told to stop", async () => {
    has["/apis"] = "hang";
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(new Error("stopped"));
    }, 200);
    expect((await rejection(problems("kind", false, controller.signal))).message).to.equal("stopped");
  });

  it("asks for each right once, where it is needed", () => {
    const rights = rightsFor(plan.recording).map(({ group, resource, namespace }) =>
      `${group}/${resource} ${namespace}`.trim(),
    );
    expect(new Set(rights).size).to.equal(rights.length);
    expect(rights).to.include.members([
      "/namespaces",
      "/secrets mlflow",
      "/secrets postgres",
      "apps/statefulsets postgres",
      "batch/jobs ml-models",
      "networking.k8s.io/networkpolicies mlflow",
      "machinelearning.seldon.io/seldondeployments ml-models",
      "rbac.authorization.k8s.io/clusterroles",
      "admissionregistration.k8s.io/validatingwebhookconfigurations",
      "apiextensions.k8s.io/customresourcedefinitions",
    ]);
    expect(rights.filter((right) => right.includes("helm.sh"))).to.deep.equal([]);
  });

  it("knows the volumes that charts ask for", () => {
    expect(volumesOf(plan.recording)).to.deep.equal([
      { release: "postgresql", namespace: "postgres", storageClass: undefined },
      { release: "minio", namespace: "minio-system", storageClass: undefined },
    ]);
  });

  it("knows what pods ask for, whatever makes them", () => {
    const resource = (type: string, inputs: Readonly<Record<string, unknown>>) => ({
      ...{
        type: `kubernetes:${type}`,
        name: "it",
        urn: type,
        parent: "",
        custom: true,
        provider: "",
        inputs,
      },
      ...{ secretPaths: [], dependencies: [], propertyDependencies: {}, options: {} },
    });
    const container = (cpu: string | number, memory: string) => ({
      resources: { requests: { cpu, memory } },
    });
    const template = {
      spec: {
        initContainers: [container("100m", "3Gi")],
        containers: [container(1, "1Gi"), container("0.5", "512Mi"), {}],
      },
    };
    const metadata = { name: "web" };
    const predictors = [
      {
        componentSpecs: [
          { spec: { containers: [container("250m", "1G")] }, hpaSpec: { minReplicas: 2 } },
          { spec: { containers: [container("1", "1Ki")] } },
        ],
        svcOrchSpec: container("50m", "64Mi"),
      },
    ];
    const resources = [
      resource("apps/v1:Deployment", { metadata, spec: { replicas: 3, template } }),
      resource("batch/v1:Job", { metadata, spec: { template } }),
      resource("machinelearning.seldon.io/v1:SeldonDeployment", { metadata, spec: { predictors } }),
    ];
    const each = { cpu: 1500, memory: 3 * 2 ** 30 };
    expect(requestsOf({ ...plan.recording, resources })).to.deep.equal([
      { maker: "Deployment web", pods: 3, each, ends: false },
      { maker: "Job web", pods: 1, each, ends: true },
      {
        maker: "SeldonDeployment web",
        pods: 2,
        each: { cpu: 300, memory: 1e9 + 64 * 2 ** 20 },
        ends: false,
      },
      { maker: "SeldonDeployment web", pods: 1, each: { cpu: 1000, memory: 1024 }, ends: false },
    ]);
  });
});

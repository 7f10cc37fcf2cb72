import { gzipSync } from "node:zlib";
import { stripVTControlCharacters } from "node:util";

import { expect } from "chai";
import colors from "picocolors";

import type { Diagnosis } from "../../../cli/cluster/diagnosis/diagnosis";
import { certificateItems } from "../../../cli/serving/seldon/certificate";
import { declaredIn } from "../../../cli/status/declaredItems";
import type { Recording } from "../../../cli/plan/recording";
import { clusterStatus } from "../../../cli/status/clusterStatus";
import { report } from "../../../cli/status/report";
import type { ClusterTarget } from "../../../cli/target";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";

const proxy = (namespace: string, service: string) =>
  `/api/v1/namespaces/${namespace}/services/http:${service}/proxy`;
const mlflow = proxy("mlflow", "mlflow:5000");
const modelHealth = `${proxy("ml-models", "house-price-default:8000")}/api/v1.0/health/status`;
const alias = `${mlflow}/api/2.0/mlflow/registered-models/alias`;

/** A platform in good order. */
function platform(): Record<string, unknown> {
  const release = { chart: { metadata: { name: "postgres", version: "0.20.1", appVersion: "18.6" } } };
  const encoded = Buffer.from(gzipSync(JSON.stringify(release)).toString("base64")).toString("base64");
  const labels = { owner: "helm", name: "postgresql", status: "deployed", version: "1" };
  const ready = { spec: { replicas: 1 }, status: { readyReplicas: 1 } };
  const volume = { capacity: { storage: "2Gi" }, phase: "Bound" };
  return {
    "/api/v1/namespaces/postgres/secrets": { items: [{ metadata: { labels }, data: { release: encoded } }] },
    "/apis/apps/v1/namespaces/postgres/statefulsets": {
      items: [{ metadata: { name: "postgresql" }, ...ready }],
    },
    "/apis/apps/v1/namespaces/minio-system/deployments": {
      items: [{ metadata: { name: "minio" }, ...ready }],
    },
    [`${proxy("minio-system", "minio:9000")}/minio/health/ready`]: "",
    "/apis/apps/v1/namespaces/mlflow/deployments": { items: [{ metadata: { name: "mlflow" }, ...ready }] },
    [`${mlflow}/health`]: "OK",
    [alias]: { model_version: { name: "house-price", version: "4" } },
    [`${mlflow}/api/2.0/mlflow-artifacts/artifacts/1/models/m-3/artifacts/MLmodel`]: "run_id: r3",
    [`${mlflow}/api/2.0/mlflow/model-versions/search?filter=run_id='r3'&order_by=version_number DESC&max_results=100`]:
      { model_versions: [{ name: "house-price", version: "3", run_id: "r3" }] },
    [`${mlflow}/api/2.0/mlflow/model-versions/get-download-uri?name=house-price&version=3`]: {
      artifact_uri: "mlflow-artifacts:/1/models/m-3/artifacts",
    },
    "/api/v1/namespaces/postgres/persistentvolumeclaims": {
      items: [
        {
          metadata: { namespace: "postgres", name: "data-postgresql-0" },
          spec: { storageClassName: "standard" },
          status: volume,
        },
      ],
    },
    "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
      items: [
        {
          metadata: { name: "house-price", namespace: "ml-models" },
          spec: {
            protocol: "seldon",
            predictors: [
              {
                name: "default-f00baa",
                replicas: 1,
                traffic: 100,
                annotations: { version: "f00baa" },
                graph: { name: "model", modelUri: "s3://models/mlflow/1/models/m-3/artifacts" },
                componentSpecs: [{ spec: { containers: [{ name: "model" }] } }],
              },
            ],
          },
          status: {
            state: "Available",
            deploymentStatus: { "house-price-default-f00baa-0-model": { replicas: 1, availableReplicas: 1 } },
          },
        },
      ],
    },
    [modelHealth]: {},
  };
}

/** What `openssl req -x509 -days 365` has made on 2026-11-25. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUe6NScx8upsTLvNGvkNGyTyk8rmgwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWc2VsZG9uLXdlYmhvb2stc2VydmljZTAeFw0yNjExMjUxODQ3
MzdaFw0yNzExMjUxODQ3MzdaMCExHzAdBgNVBAMMFnNlbGRvbi13ZWJob29rLXNl
cnZpY2UwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATrOgjWczp9lGIl7JgIs042
j81In43VJGtmG9pVfRXamYDmtgcH6auNjcV9KcnvqJdTxCn3QOuCERi7yEslgmQw
o1MwUTAdBgNVHQ4EFgQUy9Cg5fvwE1wW7oU//RNkL6V0mD4wHwYDVR0jBBgwFoAU
y9Cg5fvwE1wW7oU//RNkL6V0mD4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNIADBFAiA0SJJUFy7InaYi0Sofx3kpw3UB4rDnev0im7s34nhQwwIhAIAMJIoB
ask15WpXxlRucDC/UCFvU3slsDeXyjy3Bpkp
-----END CERTIFICATE-----
`;

describe("the status of a cluster", function () {
  this.timeout(60_000);
  let api: FakeApi;
  const nothing = () => Promise.resolve([]);

  before(async () => {
    api = await fakeApi({});
  });
  after(() => api.close());
  beforeEach(() => {
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
  });

  const shown = async (look: () => Promise<Diagnosis[]> = nothing) => {
    const target = {
      ...{ kind: "cluster", stack: "dev", version: "v1.34.4", reason: "asked for" },
      context: { name: "test" },
    } as ClusterTarget;
    const items = await clusterStatus(api.cluster, look);
    const [plain, coloured] = [false, true].map((on) => report(target, items, colors.createColors(on)));
    expect(stripVTControlCharacters(coloured ?? "")).to.equal(plain);
    return plain?.split("\n").slice(2).join("\n");
  };

  it("is empty where nothing of the platform is", async () => {
    expect(await clusterStatus(api.cluster, nothing)).to.deep.equal([]);
  });

  it("tells of each part, and of a model's versions as the registry and its own files say them", async () => {
    Object.assign(api.answers, platform());
    expect(await shown()).to.equal(
      [
        "✓ release       postgres/postgresql         deployed   postgres 0.20.1, revision 1",
        "✓ database      postgresql                  1/1 ready",
        "✓ object store  minio                       1/1 ready  answers",
        "✓ tracking      mlflow                      1/1 ready  answers",
        "✓ volume        postgres/data-postgresql-0  Bound      2Gi of class standard",
        "✓ model         house-price                 Available  champion is version 4",
        "✓ predictor     house-price-default-f00baa  1/1 ready  serves version 3; answers at " +
          "http://house-price-default.ml-models:8000",
        "",
      ].join("\n"),
    );
  });

  it("lists what the stack declares and the cluster lacks, what lies elsewhere, and what is on its way out", async () => {
    Object.assign(api.answers, platform(), {
      "/api/v1/namespaces/mlflow": {
        metadata: { name: "mlflow", deletionTimestamp: "2026-11-28T10:00:00Z" },
      },
    });
    const declared = declaredIn({
      resources: [
        { type: "kubernetes:helm.sh/v3:Release", inputs: { name: "postgresql", namespace: "postgres" } },
        { type: "kubernetes:helm.sh/v3:Release", inputs: { name: "mlflow", namespace: "mlflow" } },
        {
          type: "kubernetes:machinelearning.seldon.io/v1:SeldonDeployment",
          inputs: { kind: "SeldonDeployment", metadata: { name: "wine", namespace: "ml-models" } },
        },
        {
          type: "kubernetes:core/v1:Secret",
          inputs: { apiVersion: "v1", kind: "Secret", metadata: { name: "user", namespace: "postgres" } },
        },
        {
          type: "mlplatform:objectStore:ExternalS3",
          inputs: { provider: "AWS", endpoint: "https://s3.example.com" },
        },
      ],
    } as unknown as Recording);
    const items = await clusterStatus(api.cluster, nothing, declared);
    const marked = items.filter(({ state }) => ["missing", "gone", "elsewhere", "ending"].includes(state));
    expect(
      marked.map(({ part, name, health, state }) => `${health}: ${part} ${name} ${state}`),
    ).to.deep.equal([
      "ill: namespace mlflow ending",
      "ill: release mlflow/mlflow missing",
      "well: object store AWS elsewhere",
      "ill: workload Secret user in postgres gone",
      "ill: model wine missing",
    ]);
  });

  it("says of what is in service that its version was deleted from the registry", async () => {
    Object.assign(api.answers, platform());
    const search =
      Object.keys(api.answers).find((address) => address.includes("model-versions/search")) ?? "";
    api.answers[search] = {};
    const predictor = (await clusterStatus(api.cluster, nothing)).find(({ part }) => part === "predictor");
    expect(predictor).to.include({
      health: "warning",
      mend: "choose another version: npm run models -- update house-price",
    });
    expect(predictor?.detail).to.match(/^its version is not in the registry any more; answers at/);
  });

  it("says what is not well, why, and what to do", async () => {
    Object.assign(api.answers, platform(), {
      [`${mlflow}/health`]: [503, { kind: "Status", message: "no endpoints available" }],
      [alias]: [503, { kind: "Status", message: "no endpoints available" }],
      [modelHealth]: [500, "broken"],
      "/api/v1/namespaces/postgres/persistentvolumeclaims": [403, { kind: "Status", message: "not allowed" }],
      "/apis/apps/v1/namespaces/postgres/statefulsets": {
        items: ["postgresql", "replica"].map((name) => ({ metadata: { name }, spec: { replicas: 0 } })),
      },
      "/apis/batch/v1/namespaces/ml-models/jobs": {
        items: [
          {
            metadata: { namespace: "ml-models", name: "house-price-train-1" },
            status: { conditions: [{ type: "Failed", status: "True", message: "ran too long" }] },
          },
        ],
      },
      "/api/v1/namespaces/mlflow/pods": {
        items: [{ metadata: { namespace: "mlflow", name: "mlflow-0" }, status: { phase: "Running" } }],
      },
    });
    const finding: Diagnosis = {
      object: { kind: "Pod", namespace: "mlflow", name: "mlflow-0" },
      cause: "crash",
      what: "container mlflow ends with code 1",
      mend: "See its log.",
      severity: "error",
    };
    expect(await shown(() => Promise.resolve([finding]))).to.equal(
      [
        "✓ release       postgres/postgresql            deployed   postgres 0.20.1, revision 1",
        "✗ database      postgresql                     0/1 ready  scaled to 0 pods",
        "✗               replica                        0/1 ready  scaled to 0 pods",
        "✓ object store  minio                          1/1 ready  answers",
        "! tracking      mlflow                         1/1 ready  could not be asked: no endpoints available",
        "! volume                                       unknown    not allowed",
        "✓ model         house-price                    Available  the registry does not answer",
        "✗ predictor     house-price-default-f00baa     1/1 ready  serves version 3; answers 500: broken",
        "✗ job           ml-models/house-price-train-1  failed     ran too long",
        "✗ pod           mlflow/mlflow-0                not ready  container mlflow ends with code 1",
        "",
        "What to do:",
        "  postgresql and 1 more: npm run up",
        "  house-price-default-f00baa: npm run logs -- house-price",
        "  ml-models/house-price-train-1: npm run logs -- house-price-train-1, then: npm run up",
        "  mlflow/mlflow-0: See its log.",
        "",
      ].join("\n"),
    );
  });

  it("tells how far tables are scored, and of a schedule only what is news", async () => {
    const jobs = "/apis/batch/v1/namespaces/ml-models/jobs";
    const pods = "/api/v1/namespaces/ml-models/pods";
    const run = (minute: number, type?: string) => ({
      metadata: {
        ...{
          namespace: "ml-models",
          name: `nightly-${minute}`,
          creationTimestamp: `2026-11-30T02:0${minute}:00Z`,
        },
        labels: { "app.kubernetes.io/component": "batch" },
        ownerReferences: [{ kind: "CronJob", name: "nightly" }],
      },
      spec: { completions: 4 },
      status: {
        ...{ active: 3, succeeded: 1, failed: 2, startTime: "2026-11-30T02:03:00Z" },
        conditions: type === undefined ? [] : [{ type, status: "True", message: type }],
      },
    });
    const pod = { metadata: { namespace: "ml-models", name: "nightly-3-0" }, status: { phase: "Running" } };
    Object.assign(api.answers, platform(), {
      [jobs]: { items: [run(1, "Failed"), run(2, "Complete"), run(3)] },
      [`${pods}?labelSelector=batch.kubernetes.io/job-name=nightly-3`]: {
        items: [pod],
      },
      [`${pods}/nightly-3-0/log?tailLines=1`]: "20,000 rows scored, \u001b[31m43% of the table read\n",
      "/apis/batch/v1/namespaces/ml-models/cronjobs": {
        items: [
          {
            metadata: { namespace: "ml-models", name: "nightly" },
            spec: { schedule: "* * * * *" },
            status: { lastScheduleTime: "2026-11-30T02:03:00Z" },
          },
        ],
      },
    });
    const lines = String(await shown())
      .split("\n")
      .filter((line) => line.includes("nightly"));
    expect(lines.map((line) => line.replaceAll(/ +/g, " "))).to.deep.equal([
      "✓ job ml-models/nightly-3 running since 2026-11-30T02:03:00Z; 2 pods have failed; " +
        "1 of 4 pods have ended; 20,000 rows scored, [31m43% of the table read",
      "✓ schedule ml-models/nightly * * * * * last run 2026-11-30T02:03:00Z, under way",
    ]);
    const message = "warning\nerror: s3://datasets/a.csv cannot be scored: missing columns: zipcode\n";
    const ended = {
      ...pod,
      status: { phase: "Failed", containerStatuses: [{ state: { terminated: { message } } }] },
    };
    const waiting = { ...run(5), status: { startTime: "2026-11-30T02:05:00Z" } };
    const pausing = { ...run(7), status: { failed: 6, startTime: "2026-11-30T02:07:00Z" } };
    Object.assign(api.answers, {
      [jobs]: {
        items: [
          run(2, "Complete"),
          run(4, "FailureTarget"),
          waiting,
          { ...run(6), spec: { suspend: true } },
          pausing,
        ],
      },
      [`${pods}?labelSelector=batch.kubernetes.io/job-name=nightly-4`]: { items: [ended] },
    });
    const told = String(await shown());
    expect(told).to.match(
      /✗ +(job +)?ml-models\/nightly-4 +failed +FailureTarget: s3:.*missing columns: zipcode\n/,
    );
    expect(told).to.match(
      /! .*ml-models\/nightly-5 +waiting +since 2026-11-30T02:05:00Z; no pod of it runs; 0 of 4/,
    );
    expect(told).to.match(/! .*ml-models\/nightly-6 +suspended/);
    expect(told).to.match(
      /! .*nightly-7 +waiting .*; 6 pods have failed, and Kubernetes waits before it begins the next;/,
    );
    expect(told).to.match(/nightly-4: npm run logs -- nightly-4\n/);
  });

  it("tells of a schedule that has not begun anything though two runs were due", async () => {
    const hours = (ago: number) => new Date(Date.now() - ago * 3_600_000).toISOString();
    const schedule = (name: string, created: number, last?: number, timeZone = "Etc/UTC") => ({
      metadata: { namespace: "ml-models", name, creationTimestamp: hours(created) },
      spec: { schedule: "0 * * * *", timeZone },
      status: last === undefined ? {} : { lastScheduleTime: hours(last) },
    });
    Object.assign(api.answers, platform(), {
      "/apis/batch/v1/namespaces/ml-models/cronjobs": {
        items: [
          schedule("new", 0.5),
          schedule("never", 3),
          schedule("late", 9, 3),
          schedule("well", 9, 0.5),
          schedule("theirs", 9, 9, "Europe/Oslo"),
        ],
      },
    });
    const told = String(await shown());
    for (const name of ["new", "well", "theirs"])
      expect(told).to.match(new RegExp(`✓ +(schedule +)?ml-models/${name} `));
    expect(told).to.match(/! +(schedule +)?ml-models\/never .* has not begun anything yet, though two runs/);
    expect(told).to.match(/! .*ml-models\/late .* last run \S+, though two runs were due since/);
    expect(told).to.contain("ml-models/late: kubectl describe cronjob -n ml-models late\n");
  });

  it("tells how many pods of the version before still answer, where they are replaced one by one", async () => {
    const [list, labels] = [{ ...platform() }, { "mlplatform/version": "f00baa" }];
    const address = "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments";
    const text = JSON.stringify(list[address])
      .replace("default-f00baa", "default-scaled")
      .replace('"replicas":1,"traffic"', `"labels":${JSON.stringify(labels)},"traffic"`);
    const deployment = {
      metadata: { name: "house-price-default-scaled-0-model", labels },
      spec: { replicas: 2 },
      status: { replicas: 3, updatedReplicas: 1, readyReplicas: 3 },
    };
    Object.assign(api.answers, list, {
      [address]: JSON.parse(text) as object,
      "/apis/apps/v1/namespaces/ml-models/deployments": { items: [deployment] },
    });
    expect(await shown()).to.match(
      /✗ predictor +house-price-default-f00baa +1\/2 ready, 2 of the version before /,
    );
  });

  it("warns of a certificate before it ends, and says who renews it", async () => {
    const secret = (annotations = {}) => ({
      metadata: { annotations },
      data: { "tls.crt": Buffer.from(certificate).toString("base64") },
    });
    api.answers["/api/v1/namespaces/seldon-system/secrets/seldon-webhook-server-cert"] = secret();
    const on = async (date: string) => {
      const [item] = await certificateItems(api.cluster, Date.parse(date));
      return [item?.health, item?.state, item?.mend?.slice(0, 30)];
    };
    expect(await on("2026-12-01")).to.deep.equal(["well", "359 days left", undefined]);
    expect(await on("2027-11-01")).to.deep.equal([
      "warning",
      "24 days left",
      "raise serving.certificateSeria",
    ]);
    expect(await on("2027-11-26")).to.deep.equal(["ill", "expired", "raise serving.certificateSeria"]);
    api.answers["/api/v1/namespaces/seldon-system/secrets/seldon-webhook-server-cert"] = secret({
      "cert-manager.io/certificate-name": "seldon-serving-cert",
    });
    expect(await on("2027-11-26")).to.deep.equal(["ill", "expired", "cert-manager renews it and has"]);
  });
});

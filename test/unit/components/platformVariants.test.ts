import { expect } from "chai";

import { kindOf } from "../../../cli/plan/recording";
import { at, type Created, environment, jobContainer } from "./support/created";
import { housePrice, platform } from "./support/program";

const registry = { registry: "registry.example.com/team" };
const prebuilt = {
  frontend: "registry.example.com/page:1",
  "house-price-serve": "registry.example.com/serve:1",
  "house-price-train": "registry.example.com/train:1",
};

function predictorsOf(created: Created, name: string): Record<string, unknown>[] {
  return at(created.inputs("SeldonDeployment", `${name}-seldon`), "spec", "predictors") as Record<
    string,
    unknown
  >[];
}

function policies(created: Created): string[] {
  return created.all("NetworkPolicy").map(({ name }) => name.replace("mlplatform-namespaces-", ""));
}

describe("MlPlatform with a database elsewhere", () => {
  let created: Created;
  before(async () => {
    const database = {
      kind: "external",
      host: "db.example.com",
      port: 6432,
      name: "tracking",
      username: "tracker",
      password: "database-secret",
    };
    created = await platform({ database }, { secretKeys: ["mlplatform:database"] });
  });

  it("creates no database", () => {
    expect(created.list).to.include("ExternalDatabase mlplatform-database");
    expect(created.list.filter((title) => title.includes(" mlplatform-database-"))).to.deep.equal([]);
  });

  it("has the tables made there", () => {
    const migration = created.inputs("Job", "mlplatform-tracking-migration");
    expect(environment(jobContainer(migration))).to.include({
      PGHOST: "db.example.com",
      PGPORT: "6432",
      PGDATABASE: "tracking",
      PGUSER: "mlflow-db/username",
    });
  });

  it("has the password in the tracking server's Secret, and nowhere else", () => {
    const holders = created.resources.filter(({ inputs }) =>
      JSON.stringify(inputs).includes("database-secret"),
    );
    expect(holders.map(({ name }) => name)).to.deep.equal(["mlplatform-tracking-database"]);
    expect(holders[0]?.secretPaths).to.include("stringData.password");
    expect(JSON.stringify(created.outputs)).not.to.include("database-secret");
  });

  it("lets the tracking server out to its port", () => {
    const policy = created.inputs("NetworkPolicy", "mlplatform-namespaces-mlflow-to-platform");
    expect(JSON.stringify(policy)).to.include('"port":6432').and.not.to.include('"port":5432');
  });
});

describe("MlPlatform with a store elsewhere", () => {
  const keys = (name: string) => ({ accessKeyId: `${name}-id`, secretAccessKey: `${name}-secret` });
  const objectStore = {
    kind: "external",
    provider: "AWS",
    region: "eu-west-1",
    modelBucket: "our-models",
    dataBucket: "our-data",
    users: { tracking: keys("tracking"), serving: keys("serving"), training: keys("training") },
  };
  const options = { secretKeys: ["mlplatform:objectStore"] };
  let created: Created;
  before(async () => {
    created = await platform({ objectStore }, options);
  });

  it("creates no store", () => {
    expect(created.list).to.include("ExternalS3 mlplatform-object-store");
    expect(created.list.filter((title) => title.includes(" mlplatform-object-store-"))).to.deep.equal([]);
  });

  it("uses its buckets, and rclone's name for it", () => {
    expect(created.inputs("Secret", "mlplatform-models-storage")["stringData"]).to.include({
      RCLONE_CONFIG_S3_PROVIDER: "AWS",
      RCLONE_CONFIG_S3_ENDPOINT: "",
      RCLONE_CONFIG_S3_REGION: "eu-west-1",
    });
    const values = at(created.inputs("Release", "mlplatform-tracking-release"), "values");
    expect(at(values, "artifactRoot", "s3", "bucket")).to.equal("our-models");
    const [predictor] = predictorsOf(created, "house-price");
    expect(at(predictor, "graph", "modelUri")).to.match(/^s3:\/\/our-models\//);
  });

  it("has each user's key where its purpose is, and nowhere else", () => {
    const holders = (text: string) =>
      created.resources
        .filter(({ inputs }) => JSON.stringify(inputs).includes(text))
        .map((one) => `${kindOf(one)} ${one.name}`);
    expect(holders("tracking-secret")).to.deep.equal(["Secret mlplatform-tracking-store"]);
    expect(holders("serving-secret")).to.deep.equal(["Secret mlplatform-models-storage"]);
    expect(holders("training-secret")).to.deep.equal(["Secret mlplatform-models-training"]);
    expect(JSON.stringify(created.outputs)).not.to.match(/(tracking|serving|training)-secret/);
  });

  for (const [endpoint, port] of [
    [undefined, 443],
    ["http://s3.example.com", 80],
    ["https://s3.example.com:9443", 9443],
  ] as const) {
    it(`lets its users out to port ${port} of ${endpoint ?? "AWS"}`, async () => {
      const elsewhere = { ...objectStore, provider: "Other", endpoint };
      const other = endpoint === undefined ? created : await platform({ objectStore: elsewhere }, options);
      for (const policy of ["mlflow-to-platform", "ml-models-to-platform"]) {
        const { spec } = other.inputs("NetworkPolicy", `mlplatform-namespaces-${policy}`);
        expect((at(spec, "egress") as unknown[]).at(-1), policy).to.deep.equal({
          to: [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }],
          ports: [{ protocol: "TCP", port }],
        });
      }
    });
  }
});

describe("MlPlatform with images that are built elsewhere", () => {
  it("does not ask Docker for anything", async () => {
    const created = await platform({ images: { prebuilt } });
    expect(created.resources.filter(({ type }) => /docker|AppImage/.test(type))).to.deep.equal([]);
    const training = jobContainer(created.inputs("Job", "house-price-training-job"));
    expect(at(training, "image")).to.equal("registry.example.com/train:1");
    const [predictor] = predictorsOf(created, "house-price");
    expect(at(predictor, "componentSpecs", 0, "spec", "containers", 0, "image")).to.equal(
      "registry.example.com/serve:1",
    );
  });

  it("builds the one that is not", async () => {
    const { frontend, "house-price-train": train } = prebuilt;
    const images = { prebuilt: { frontend, "house-price-train": train } };
    const created = await platform({ images });
    expect(created.all("Image").map(({ name }) => name)).to.deep.equal([
      "mlplatform-images-house-price-serve-build",
    ]);
  });
});

describe("MlPlatform with models of other kinds", () => {
  let created: Created;
  before(async () => {
    created = await platform({
      serving: { istio: {} },
      frontend: { enabled: false },
      models: [
        { name: "wine", server: "XGBOOST_SERVER", model: "s3://models/wine" },
        {
          name: "flowers",
          server: "SKLEARN_SERVER",
          allowCode: true,
          model: "s3://models/flowers/1",
          predictors: [
            { name: "main", traffic: 90 },
            { name: "next", traffic: 10, model: "s3://models/flowers/2", replicas: 1 },
          ],
        },
      ],
    });
  });

  it("serves files that are there with Seldon's servers, by the Open Inference Protocol", () => {
    expect(at(created.inputs("SeldonDeployment", "wine-seldon"), "spec", "protocol")).to.equal("v2");
    const [predictor] = predictorsOf(created, "wine");
    expect(at(predictor, "graph")).to.deep.equal({
      name: "wine",
      type: "MODEL",
      implementation: "XGBOOST_SERVER",
      modelUri: "s3://models/wine",
      envSecretRefName: "seldon-init-container-secret",
    });
    expect(at(predictor, "componentSpecs", 0, "spec", "containers", 0, "image")).to.equal(
      "docker.io/seldonio/mlserver:1.7.1-xgboost",
    );
  });

  it("serves versions side by side", () => {
    const versions = predictorsOf(created, "flowers").map((one) => ({
      traffic: one["traffic"],
      uri: at(one, "graph", "modelUri"),
      image: at(one, "componentSpecs", 0, "spec", "containers", 0, "image"),
    }));
    const image = "docker.io/seldonio/mlserver:1.7.1-sklearn";
    expect(versions).to.deep.equal([
      { traffic: 90, uri: "s3://models/flowers/1", image },
      { traffic: 10, uri: "s3://models/flowers/2", image },
    ]);
    expect(created.outputs["models"]).to.deep.equal({
      wine: {
        url: "http://wine.ml-models.svc.cluster.local:8000/v2/models/wine/infer",
        predictors: { default: "http://wine-default.ml-models.svc.cluster.local:8000/v2/models/wine/infer" },
      },
      flowers: {
        predictors: {
          main: "http://flowers-main.ml-models.svc.cluster.local:8000/v2/models/flowers/infer",
          next: "http://flowers-next.ml-models.svc.cluster.local:8000/v2/models/flowers/infer",
        },
      },
    });
  });

  it("keeps them waiting for operator and store, and not for the tracking server that they do not need", () => {
    const before = created.before("SeldonDeployment", "wine-seldon");
    expect(before).to.include.members(["Job mlplatform-serving-check", "Job mlplatform-object-store-setup"]);
    expect(before.filter((title) => title.includes("mlplatform-tracking"))).to.deep.equal([]);
    expect(before.filter((title) => title.includes("flowers"))).to.deep.equal([]);
  });

  it("trains nothing and builds nothing for them", () => {
    expect(created.list.filter((title) => /^(TrainingJob|Image) /.test(title))).to.deep.equal([]);
  });

  it("lets the gateway of Istio in, and tells the operator its name", () => {
    expect(policies(created)).to.include("ml-models-from-gateway");
    const values = at(created.inputs("Release", "mlplatform-serving-release"), "values");
    expect(at(values, "istio")).to.deep.equal({ enabled: true, gateway: "istio-system/seldon-gateway" });
  });
});

describe("MlPlatform by its configuration", () => {
  it("protects what holds data outside dev, keeps it on destroy, and keeps the operator's definitions", async () => {
    const created = await platform({ environment: "staging", images: registry });
    const guarded = created.resources.filter(({ options }) => options.protect === true);
    expect(guarded.map(({ name }) => name.replace("mlplatform-", "")).sort()).to.deep.equal([
      "database-admin-password",
      "database-password",
      "database-release",
      "namespaces-minio-system",
      "namespaces-postgres",
      "object-store-batch-key",
      "object-store-release",
      "object-store-root-password",
      "object-store-serving-key",
      "object-store-tracking-key",
      "object-store-training-key",
    ]);
    const values = (part: string) => at(created.inputs("Release", `mlplatform-${part}-release`), "values");
    const keep = { "helm.sh/resource-policy": "keep" };
    expect(at(values("object-store"), "persistence", "annotations")).to.deep.equal(keep);
    expect(at(values("serving"), "crd", "annotations")).to.deep.equal(keep);
  });

  it("has monitors and lets Prometheus in where monitoring is on, with its labels everywhere", async () => {
    const labels = { release: "prometheus" };
    const created = await platform({ monitoring: { enabled: true, labels } });
    expect(policies(created).filter((name) => name.endsWith("-prometheus"))).to.have.length(5);
    for (const { name, inputs } of [...created.all("ServiceMonitor"), ...created.all("PodMonitor")])
      expect(at(inputs, "metadata", "labels"), name).to.include(labels);
    const values = (part: string) => at(created.inputs("Release", `mlplatform-${part}-release`), "values");
    expect(at(values("database"), "metrics", "serviceMonitor", "selector")).to.deep.equal(labels);
    expect(at(values("tracking"), "serviceMonitor", "labels")).to.deep.equal(labels);
  });

  it("has no monitor otherwise, which a cluster without Prometheus' operator would refuse", async () => {
    const created = await platform();
    expect([...created.all("ServiceMonitor"), ...created.all("PodMonitor")]).to.deep.equal([]);
    expect(policies(created).filter((name) => name.endsWith("-prometheus"))).to.deep.equal([]);
  });

  it("lets trainings out to the web on the ports of their data, and not at all where those are in S3", async () => {
    const trained = (name: string, data: string) => ({
      ...housePrice,
      name,
      training: { ...housePrice.training, data },
    });
    const created = await platform({
      models: [
        trained("one", "https://data.example.com/sales.csv"),
        trained("two", "http://data.example.com:8080/sales.csv"),
        trained("three", "s3://datasets/sales.csv"),
      ],
      modelQuota: { cpu: "8", memory: "16Gi" },
    });
    const policy = created.inputs("NetworkPolicy", "mlplatform-namespaces-ml-models-training-data");
    expect(at(policy, "spec", "egress", 0, "ports")).to.deep.equal([
      { protocol: "TCP", port: 443 },
      { protocol: "TCP", port: 8080 },
    ]);
    const inStore = await platform({ models: [trained("three", "s3://datasets/sales.csv")] });
    expect(policies(inStore)).not.to.include("ml-models-training-data");
  });

  it("takes every chart and image from the mirror", async () => {
    const created = await platform({ mirror: "mirror.example.com/all", images: { prebuilt } });
    for (const { name, inputs } of created.all("Release"))
      expect(inputs["chart"], name).to.match(/^oci:\/\/mirror\.example\.com\/all\/charts\//);
    const text = JSON.stringify(created.resources.map(({ inputs }) => inputs));
    expect(text).not.to.match(/docker\.io|quay\.io|ghcr\.io/);
  });

  it("warns of the licence of the version that is chosen", async () => {
    const serving = { version: "1.18.2", licenceAcknowledged: true };
    const { notices } = await platform({ serving });
    expect(notices.map(({ severity, message }) => `${severity}: ${message.split(":")[0] ?? ""}`)).to.include(
      "warning: Seldon Core 1.18.2 is under BUSL-1.1",
    );
  });
});

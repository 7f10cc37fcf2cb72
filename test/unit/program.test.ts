import { expect } from "chai";

import { readStackConfig } from "../../cli/plan/stackFiles";
import program from "../../index";
import { rejection } from "./support/rejection";
import { record, type RecordedResource, type Recording } from "./support/recorder";

/** Runs the program for one of the project's stacks, on a machine whose KUBECONFIG is set. */
async function run(stack: string, path: string): Promise<Recording> {
  const kubeconfig = process.env["KUBECONFIG"];
  process.env["KUBECONFIG"] = path;
  try {
    const { config, secretKeys } = readStackConfig(stack);
    return await record(() => program("assume all"), config, { stack, secretKeys });
  } finally {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
  }
}

function find(resources: readonly RecordedResource[], type: string): RecordedResource[] {
  return resources.filter((resource) => resource.type === type);
}

const recordings = new Map<string, Promise<Recording>>();

/** The same, once for each stack. */
function recordingOf(stack: string): Promise<Recording> {
  const recording = recordings.get(stack) ?? run(stack, "/home/someone/.kube/config");
  recordings.set(stack, recording);
  return recording;
}

const contexts = { dev: "minikube", staging: "staging", prod: "production" };

for (const [stack, context] of Object.entries(contexts)) {
  describe(`the program for the stack ${stack}`, () => {
    let recording: Recording;
    before(async () => {
      recording = await recordingOf(stack);
    });

    const root = `urn:pulumi:${stack}::mlplatform::pulumi:pulumi:Stack`;

    it("stands the platform and the provider under the stack, and nothing else", () => {
      const top = recording.resources.filter(({ parent }) => parent === `${root}::mlplatform-${stack}`);
      expect(top.map(({ type, name }) => `${type} ${name}`)).to.deep.equal([
        "mlplatform:platform:MlPlatform mlplatform",
        "pulumi:providers:kubernetes cluster",
      ]);
    });

    it("has the parts that the stack needs", () => {
      const components = recording.resources.filter(({ custom }) => !custom);
      expect(components.map(({ type, name }) => `${type} ${name}`)).to.deep.equal([
        ...(stack === "staging" ? ["mlplatform:batch:BatchScoring mlplatform-batch-nightly-prices"] : []),
        "mlplatform:database:PostgresChart mlplatform-database",
        ...(stack === "dev"
          ? [
              "mlplatform:frontend:Frontend mlplatform-frontend",
              "mlplatform:images:AppImage mlplatform-images-frontend",
            ]
          : []),
        "mlplatform:images:AppImage mlplatform-images-house-price-serve",
        "mlplatform:images:AppImage mlplatform-images-house-price-train",
        "mlplatform:namespaces:PlatformNamespaces mlplatform-namespaces",
        "mlplatform:objectStore:MinioChart mlplatform-object-store",
        "mlplatform:platform:MlPlatform mlplatform",
        "mlplatform:serving:ModelDeployment house-price",
        "mlplatform:serving:ModelNamespace mlplatform-models",
        "mlplatform:serving:ServingOperator mlplatform-serving",
        "mlplatform:tracking:TrackingServer mlplatform-tracking",
        "mlplatform:training:TrainingJob house-price-training",
      ]);
    });

    it("lets nothing flow into names that may be replaced, and would have a model or data replaced with it", () => {
      // Pulumi removes a resource first if its metadata come from one that is removed first.
      const lasting = /kubernetes:core\/v1:Namespace|NetworkPolicy/;
      const kept = recording.resources.filter(({ type }) =>
        /SeldonDeployment|Release|PersistentVolume/.test(type),
      );
      expect(kept.length).to.be.greaterThan(4);
      for (const { name, propertyDependencies } of kept) {
        const from = ["metadata", "namespace", "name"].flatMap((key) => propertyDependencies[key] ?? []);
        expect(
          from.filter((urn) => !lasting.test(urn)),
          name,
        ).to.deep.equal([]);
      }
    });

    it("tells the provider the context and nothing of this machine", () => {
      const [provider] = find(recording.resources, "pulumi:providers:kubernetes");
      expect(provider?.inputs).to.deep.equal({
        context,
        kubeconfig: "",
        enablePatchForce: "true",
        enableSecretMutable: "true",
      });
      expect(JSON.stringify(recording)).not.to.include("/home/");
      expect(JSON.stringify(recording)).not.to.include(process.cwd());
    });

    it("uses that provider for every Kubernetes resource, and Pulumi's own for the others", () => {
      for (const { type, name, provider } of recording.resources.filter(({ custom }) => custom)) {
        if (type.startsWith("pulumi:")) continue;
        const explicit = `urn:pulumi:${stack}::mlplatform::pulumi:providers:kubernetes::cluster::cluster-id`;
        expect(provider, name).to.equal(type.startsWith("kubernetes:") ? explicit : "");
      }
    });

    it("exports addresses, and no secrets", () => {
      expect(recording.outputs).to.deep.equal({
        namespaces: {
          database: "postgres",
          objectStore: "minio-system",
          tracking: "mlflow",
          servingOperator: "seldon-system",
          models: "ml-models",
          frontend: "fe",
        },
        trackingUri: "http://mlflow.mlflow.svc.cluster.local:5000",
        objectStoreEndpoint: "http://minio.minio-system.svc.cluster.local:9000",
        models: {
          "house-price": {
            url: "http://house-price.ml-models.svc.cluster.local:8000/api/v1.0/predictions",
            predictors: {
              default: "http://house-price-default.ml-models.svc.cluster.local:8000/api/v1.0/predictions",
            },
          },
        },
      });
      expect(recording.secretOutputs).to.deep.equal([]);
    });

    it("has nothing to warn of, and says what is decided later", () => {
      expect(recording.notices.map(({ severity, message }) => `${severity}: ${message}`)).to.deep.equal([
        "info: house-price: which version models:/house-price@champion is, is decided after its training.",
      ]);
    });

    it("asks for the same resources when it is run again, by somebody else", async () => {
      expect(await run(stack, "/home/other/kubeconfig")).to.deep.equal(recording);
    });
  });
}

describe("the program", () => {
  it("protects what holds data in every stack but dev", async () => {
    const guarded = async (stack: string) =>
      (await recordingOf(stack)).resources
        .filter(({ options }) => options.protect === true)
        .map(({ name }) => name);
    expect(await guarded("dev")).to.deep.equal([]);
    const staging = await guarded("staging");
    expect(staging).to.include.members([
      ...["mlplatform-database-release", "mlplatform-object-store-release"],
      ...["mlplatform-namespaces-postgres", "mlplatform-namespaces-minio-system"],
    ]);
    expect(await guarded("prod")).to.deep.equal(staging);
  });

  it("asks for the context when the stack has none", async () => {
    const error = await rejection(record(program, { "mlplatform:environment": "dev" }));
    expect(error.message)
      .to.include("mlplatform:context")
      .and.to.include("pulumi config set mlplatform:context");
  });
});

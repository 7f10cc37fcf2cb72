import { expect } from "chai";
import program from "../../index";
import { rejection } from "./support/rejection";
import { record, type RecordedResource } from "./support/recorder";

const stack = "urn:pulumi:test::mlplatform::pulumi:pulumi:Stack";

describe("the program", () => {
  let resources: readonly RecordedResource[];
  let outputs: unknown;

  before(async () => {
    const kubeconfig = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = "/home/someone/.kube/config";
    try {
      ({ resources, outputs } = await record(program, { "mlplatform:context": "a-context" }));
    } finally {
      if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
      else process.env["KUBECONFIG"] = kubeconfig;
    }
  });

  it("creates these resources and no other", () => {
    expect(resources.map(({ type, name }) => `${type} ${name}`)).to.deep.equal([
      "kubernetes:core/v1:Namespace mlplatform-namespaces-fe",
      "kubernetes:core/v1:Namespace mlplatform-namespaces-minio-system",
      "kubernetes:core/v1:Namespace mlplatform-namespaces-ml-models",
      "kubernetes:core/v1:Namespace mlplatform-namespaces-mlflow",
      "kubernetes:core/v1:Namespace mlplatform-namespaces-postgres",
      "kubernetes:core/v1:Namespace mlplatform-namespaces-seldon-system",
      "mlplatform:namespaces:PlatformNamespaces mlplatform-namespaces",
      "mlplatform:platform:MlPlatform mlplatform",
      "pulumi:providers:kubernetes cluster",
    ]);
  });

  it("tells the provider the context and nothing of this machine", () => {
    const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes");
    expect(provider?.inputs).to.deep.equal({ context: "a-context", kubeconfig: "" });
  });

  it("uses that provider for every Kubernetes resource", () => {
    const kubernetes = resources.filter(({ type }) => type.startsWith("kubernetes:"));
    expect(new Set(kubernetes.map(({ provider }) => provider))).to.deep.equal(
      new Set([`${stack}$pulumi:providers:kubernetes::cluster::cluster-id`]),
    );
  });

  it("stands the platform under the stack", () => {
    const platform = resources.find(({ type }) => type === "mlplatform:platform:MlPlatform");
    expect(platform?.parent).to.equal(`${stack}::mlplatform-test`);
  });

  it("exports the namespaces by role", () => {
    expect(outputs).to.deep.equal({
      namespaces: {
        database: "postgres",
        objectStore: "minio-system",
        tracking: "mlflow",
        servingOperator: "seldon-system",
        models: "ml-models",
        frontend: "fe",
      },
    });
  });

  it("asks for the context when the stack has none", async () => {
    const error = await rejection(record(program, {}));
    expect(error.message).to.include("pulumi config set mlplatform:context");
  });
});

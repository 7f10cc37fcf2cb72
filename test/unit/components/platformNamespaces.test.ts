import { expect } from "chai";
import {
  PlatformNamespaces,
  type PlatformNamespacesArgs,
} from "../../components/namespaces/platformNamespaces";
import { record } from "./support/recorder";

async function namespaces(args?: PlatformNamespacesArgs) {
  const { resources } = await record(() => ({ names: new PlatformNamespaces("it", args).names }), {});
  return resources.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
}

function manifest(name: string, level: string, version: string) {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: {
        "app.kubernetes.io/managed-by": "pulumi",
        "app.kubernetes.io/part-of": "mlplatform",
        "pod-security.kubernetes.io/audit": level,
        "pod-security.kubernetes.io/audit-version": version,
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/enforce-version": version,
        "pod-security.kubernetes.io/warn": level,
        "pod-security.kubernetes.io/warn-version": version,
      },
    },
  };
}

describe("PlatformNamespaces", () => {
  it("labels each namespace with its owner and its Pod Security level", async () => {
    expect((await namespaces()).map(({ inputs }) => inputs)).to.deep.equal([
      manifest("fe", "restricted", "v1.34"),
      manifest("minio-system", "restricted", "v1.34"),
      manifest("ml-models", "baseline", "v1.34"),
      manifest("mlflow", "restricted", "v1.34"),
      manifest("postgres", "restricted", "v1.34"),
      manifest("seldon-system", "baseline", "v1.34"),
    ]);
  });

  it("takes another version of the Pod Security Standards", async () => {
    const [fe] = await namespaces({ podSecurityVersion: "latest" });
    expect(fe?.inputs).to.deep.equal(manifest("fe", "restricted", "latest"));
  });

  it("is the parent of its namespaces", async () => {
    const parents = (await namespaces()).map(({ parent }) => parent);
    expect(new Set(parents)).to.deep.equal(
      new Set([
        "urn:pulumi:test::mlplatform::pulumi:pulumi:Stack$mlplatform:namespaces:PlatformNamespaces::it",
      ]),
    );
  });
});

import { expect } from "chai";

import type { Consent } from "../../../cli/consent";
import { agreeToRemovals, removalsOf } from "../../../cli/deploy/removals";
import type { StateResource } from "../../../cli/engine/state";
import { Progress } from "../../../cli/progress";
import { fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";

const component = (type: string, name: string, inputs = {}): StateResource => ({
  urn: `urn:${name}`,
  type: `mlplatform:${type}`,
  parent: "urn:platform",
  inputs,
});
const resource = (type: string, name: string, parent: string, inputs = {}): StateResource => ({
  ...{ urn: `urn:${name}`, type, custom: true, parent: `urn:${parent}`, inputs },
});
const release = "kubernetes:helm.sh/v3:Release";
const state: StateResource[] = [
  component("objectStore:MinioChart", "store"),
  resource(release, "store-release", "store", { name: "minio", namespace: "minio-system" }),
  resource("random:index/randomPassword:RandomPassword", "store-key", "store"),
  component("namespaces:PlatformNamespaces", "namespaces"),
  resource("kubernetes:core/v1:Namespace", "ns", "namespaces", { metadata: { name: "minio-system" } }),
  component("serving:ModelDeployment", "wine", { model: "wine" }),
  resource("kubernetes:machinelearning.seldon.io/v1:SeldonDeployment", "wine-it", "wine"),
  resource("kubernetes:policy/v1:PodDisruptionBudget", "wine-1a-budget", "wine"),
  resource("kubernetes:core/v1:Service", "wine-canary-service", "wine"),
  component("serving:Splitter", "splitter", { model: "wine" }),
  resource("kubernetes:apps/v1:Deployment", "splitter-deployment", "splitter"),
  resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", "splitter-counts", "namespaces"),
  component("serving:AnswersJob", "answers", { model: "wine", version: 1 }),
  resource("kubernetes:batch/v1:Job", "answers-job", "answers"),
  resource("docker:index/image:Image", "image", "platform"),
  resource("pulumi:providers:kubernetes", "cluster", "platform"),
  { ...resource("kubernetes:batch/v1:Job", "old", "platform"), delete: true },
];
const without = (...names: string[]) =>
  removalsOf(state, new Set(state.map(({ urn }) => urn).filter((urn) => !names.includes(urn.slice(4)))));

describe("what a stack does not declare any more", () => {
  it("is nothing where all is declared, but for what stays or goes anyway", () => {
    expect(
      without("image", "cluster", "old", "wine-1a-budget", "answers", "answers-job").resources,
    ).to.deep.equal([]);
  });

  it("is nothing where the requests of a model are not split any more", () => {
    const split = ["wine-canary-service", "splitter", "splitter-deployment", "splitter-counts"];
    expect(without(...split).resources).to.deep.equal([]);
    expect(without(...split, "wine", "wine-it").parts).to.deep.equal(["model wine (2)"]);
  });

  it("is nothing where a model that stays becomes a graph, which is another SeldonDeployment", () => {
    expect(without("wine-it", "wine-canary-service").resources).to.deep.equal([]);
  });

  it("is told by part, with the namespaces whose volumes go", () => {
    const { parts, namespaces } = without("store", "store-release", "store-key", "ns", "wine", "wine-it");
    expect(parts).to.deep.equal(["MinIO (2)", "model wine (1)", "namespaces (1)"]);
    expect(namespaces).to.deep.equal(["minio-system"]);
  });

  const told = async (consent: Consent, ...names: string[]) => {
    const claims = "/api/v1/namespaces/minio-system/persistentvolumeclaims";
    const metadata = { namespace: "minio-system", name: "minio" };
    const api = await fakeApi({
      [claims]: { items: [{ metadata, status: { capacity: { storage: "5Gi" } } }] },
    });
    const progress = new Progress("plain");
    let error = "";
    const { out } = await outputOf(() =>
      agreeToRemovals({ stack: "dev", cluster: api.cluster }, without(...names), consent, progress).catch(
        (reason: unknown) => {
          error = (reason as Error).message;
        },
      ),
    );
    progress.stop();
    await api.close();
    return { out, error };
  };
  const agree = async (consent: Consent, ...names: string[]) => (await told(consent, ...names)).error;

  it("is said once: by the error where that has it", async () => {
    const { out, error } = await told({}, "store-release");
    expect([out, error.split("MinIO (1)").length]).to.deep.equal(["", 2]);
    expect((await told({ confirm: "dev" }, "store-release")).out).to.match(/^Stack dev .* MinIO \(1\)/);
    expect((await told({ yes: true }, "wine", "wine-it")).out).to.match(
      /^Stack dev .* model wine \(1\)\.\n$/,
    );
  });

  it("is removed with --yes where no data go with it", async () => {
    expect(await agree({})).to.equal("");
    expect(await agree({}, "wine", "wine-it")).to.match(
      /^Stack dev does not declare any more, and so loses: model wine \(1\)\.\n.*--yes\.$/,
    );
    expect(await agree({ yes: true }, "wine", "wine-it")).to.equal("");
  });

  it("is removed with the stack's name where data go with it", async () => {
    const refusal = await agree({ yes: true }, "store-release");
    expect(refusal)
      .to.include("\n  minio-system/minio (5Gi)\n")
      .and.to.match(/add --confirm dev\.$/);
    expect(await agree({ confirm: "prod" }, "store-release")).to.match(/^--confirm names prod/);
    expect(await agree({ confirm: "dev" }, "store-release")).to.equal("");
  });
});

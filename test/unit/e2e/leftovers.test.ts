import { expect } from "chai";

import { leftovers } from "../../e2e/leftovers";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { rejection } from "../support/rejection";

const named = (...names: readonly string[]) => ({ items: names.map((name) => ({ metadata: { name } })) });
const volume = (name: string, namespace?: string) => ({
  metadata: { name },
  spec: namespace === undefined ? {} : { claimRef: { namespace } },
});
const admission = "/apis/admissionregistration.k8s.io/v1";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

describe("end to end: what is left in the cluster", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;

  beforeEach(async () => {
    api = await fakeApi({
      "/api/v1/namespaces": named("default", "kube-system"),
      "/api/v1/persistentvolumes": { items: [] },
    });
  });
  afterEach(() => api.close());

  it("is nothing where all is somebody else's", async () => {
    Object.assign(api.answers, {
      "/api/v1/namespaces": named("default", "kube-system", "mlflow-of-others"),
      "/api/v1/persistentvolumes": { items: [volume("free"), volume("theirs", "default")] },
      [definitions]: named("certificates.cert-manager.io"),
      [`${rbac}/clusterroles`]: named("cluster-admin", "view"),
    });
    expect(await leftovers(api.cluster)).to.deep.equal([]);
  });

  it("are the platform's namespaces and the load's, and the volumes that they have claimed", async () => {
    Object.assign(api.answers, {
      "/api/v1/namespaces": named("default", "mlflow", "mlplatform-e2e", "minio-system"),
      "/api/v1/persistentvolumes": { items: [volume("pvc-1", "minio-system"), volume("pvc-2", "default")] },
    });
    expect(await leftovers(api.cluster)).to.deep.equal([
      "Namespace mlflow",
      "Namespace mlplatform-e2e",
      "Namespace minio-system",
      "PersistentVolume pvc-1",
    ]);
  });

  it("is what Seldon has outside of every namespace", async () => {
    Object.assign(api.answers, {
      [definitions]: named("seldondeployments.machinelearning.seldon.io", "certificates.cert-manager.io"),
      [`${admission}/validatingwebhookconfigurations`]: named("seldon-validating", "policy"),
      [`${admission}/mutatingwebhookconfigurations`]: named("seldon-mutating"),
      [`${rbac}/clusterroles`]: named("view", "seldon-manager-role"),
      [`${rbac}/clusterrolebindings`]: named("seldon-manager-rolebinding", "view"),
    });
    expect(await leftovers(api.cluster)).to.deep.equal([
      "CustomResourceDefinition seldondeployments.machinelearning.seldon.io",
      "ValidatingWebhookConfiguration seldon-validating",
      "MutatingWebhookConfiguration seldon-mutating",
      "ClusterRole seldon-manager-role",
      "ClusterRoleBinding seldon-manager-rolebinding",
    ]);
  });

  it("is not known to who may not look", async () => {
    api.answers[`${rbac}/clusterroles`] = [403, { kind: "Status", message: "clusterroles is forbidden" }];
    expect((await rejection(leftovers(api.cluster))).message).to.equal("clusterroles is forbidden");
  });

  it("is not known where several questions are refused, and no refusal goes unheard", async () => {
    const refused = [503, { kind: "Status", message: "the server is shutting down" }];
    const addresses = ["/api/v1/namespaces", definitions, `${rbac}/clusterroles`];
    Object.assign(api.answers, Object.fromEntries(addresses.map((address) => [address, refused])));
    const unheard: unknown[] = [];
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (reason) => unheard.push(reason));
    try {
      expect((await rejection(leftovers(api.cluster))).message).to.equal("the server is shutting down");
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of listeners) process.on("unhandledRejection", listener);
    }
    expect(unheard).to.deep.equal([]);
  });
});

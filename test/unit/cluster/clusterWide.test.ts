import { expect } from "chai";

import { clusterWideRest } from "../../../cli/cluster/clusterWide";
import { clusterKinds } from "../../../cli/cluster/kinds";
import { contextOf } from "../../../cli/cluster/kubeconfig";
import { type FakeApi, fakeApi } from "./support/fakeApi";

describe("what stays outside of every namespace", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const items = (...objects: readonly (readonly [name: string, namespace: string])[]) => ({
    items: objects.map(([name, namespace]) => ({
      metadata: {
        name,
        annotations: {
          "meta.helm.sh/release-name": "seldon-core-operator",
          "meta.helm.sh/release-namespace": namespace,
        },
      },
    })),
  });
  const rest = () =>
    clusterWideRest({ cluster: api.cluster, context: contextOf("test", "c", "http://127.0.0.1") });

  beforeEach(async () => {
    api = await fakeApi({
      [clusterKinds.ClusterRole]: items(["manager", "seldon-system"], ["theirs", "theirs"]),
      [clusterKinds.ValidatingWebhookConfiguration]: items(["check", "seldon-system"]),
      [clusterKinds.ClusterRoleBinding]: { items: [{ metadata: { name: "no-release" } }] },
    });
  });
  afterEach(() => api.close());

  it("is the operator's, with the line that removes it", async () => {
    const begin =
      "Outside of every namespace there stay, of release seldon-core-operator of namespace seldon-system, which is gone: ";
    expect(await rest()).to.equal(
      `${begin}ValidatingWebhookConfiguration check, ClusterRole manager. To remove what stays: kubectl --context test ` +
        "delete validatingwebhookconfiguration/check clusterrole/manager",
    );
    api.answers[clusterKinds.CustomResourceDefinition] = items(["seldondeployments", "seldon-system"]);
    expect(await rest()).to.contain(
      "ClusterRole manager. With the definition go all SeldonDeployments of the cluster, whoever made them. To remove",
    );
  });

  it("is nothing where the operator is there, or has left nothing", async () => {
    api.answers["/api/v1/namespaces/seldon-system"] = { metadata: { name: "seldon-system" } };
    expect(await rest()).to.equal(undefined);
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    expect(await rest()).to.equal(undefined);
  });

  it("is not known where nobody may look", async () => {
    api.answers[clusterKinds.ClusterRole] = [403, { kind: "Status", message: "clusterroles is forbidden" }];
    expect(await rest()).to.match(/cannot be seen: clusterroles is forbidden$/);
  });
});

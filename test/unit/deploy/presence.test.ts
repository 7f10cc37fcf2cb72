import { expect } from "chai";

import { contextOf } from "../../../cli/cluster/kubeconfig";
import { mayBeThere, ownPart, requireGone } from "../../../cli/deploy/presence";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { rejection } from "../support/rejection";

describe("what of a stack is in its cluster", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const owner = { id: "me", state: "here:/state" };
  const target = () => ({
    cluster: api.cluster,
    context: contextOf("test", "c", "http://127.0.0.1"),
    stack: "dev",
  });
  const has = (...namespaces: readonly (readonly [string, string?])[]) => {
    const items = namespaces.map(([name, id]) => ({
      metadata: {
        name,
        ...(id !== undefined && {
          annotations: {
            "mlplatform/owner": id,
            "mlplatform/stack": "prod",
            "mlplatform/state": "there:/state",
          },
        }),
      },
    }));
    api.answers["/api/v1/namespaces?labelSelector=app.kubernetes.io/part-of=mlplatform"] = { items };
  };

  beforeEach(async () => {
    api = await fakeApi({});
  });
  afterEach(() => api.close());

  it("is what bears its mark, or none", async () => {
    has(["mlflow", "me"], ["fe"], ["strange"]);
    expect((await ownPart(target(), owner)).map(({ name }) => name)).to.deep.equal(["mlflow", "fe"]);
    expect(await mayBeThere(api.cluster, owner)).to.equal(true);
    has(["mlflow", "you"]);
    expect(await mayBeThere(api.cluster, owner)).to.equal(false);
  });

  it("is nothing that may be removed where another one's mark is", async () => {
    has(["mlflow", "you"], ["fe", "me"]);
    expect((await rejection(ownPart(target(), owner))).message).to.equal(
      "nothing was removed: what is in context test (namespace mlflow) belongs to stack prod, whose state is in " +
        "there:/state; this is stack dev, with its state in here:/state. Remove that one from there. If this one was there before, in a " +
        "cluster that is gone: npm run down -- --stack dev --forget",
    );
  });

  it("is said to be gone only where it is", async () => {
    has(["fe", "me"]);
    await requireGone(target(), ["mlflow"], "2 removed");
    expect((await rejection(requireGone(target(), ["mlflow", "fe"], "2 removed"))).message).to.equal(
      "2 removed, and still in test: namespace fe. See what holds them: kubectl --context test get namespace fe -o " +
        "yaml; then run this again.",
    );
  });
});

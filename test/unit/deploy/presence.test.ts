import { expect } from "chai";

import { contextOf } from "../../../cli/cluster/kubeconfig";
import { aboutUnmarked, isAbsent, mayBeThere, ownPart, requireGone } from "../../../cli/deploy/presence";
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
  const labels = { "app.kubernetes.io/part-of": "mlplatform" };
  const has = (
    ...namespaces: readonly (readonly [name: string, mark?: string | undefined, labels?: object])[]
  ) => {
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    for (const [name, id, own = labels] of namespaces) {
      const mark = {
        "mlplatform/owner": id,
        "mlplatform/stack": "prod",
        "mlplatform/state": "there:/state",
      };
      const metadata = { name, labels: own, ...(id !== undefined && { annotations: mark }) };
      api.answers[`/api/v1/namespaces/${name}`] = { metadata };
    }
  };
  const part = async (...known: string[]) => {
    const { own, unmarked } = await ownPart(target(), owner, known);
    return [own, unmarked].map((each) => each.map(({ name }) => name));
  };

  beforeEach(async () => {
    api = await fakeApi({});
  });
  afterEach(() => api.close());

  it("is what bears its mark, or none and its state has it", async () => {
    has(["mlflow", "me"], ["fe"], ["postgres"], ["strange"]);
    expect(await part()).to.deep.equal([["mlflow"], ["postgres", "fe"]]);
    expect(await part("fe")).to.deep.equal([["mlflow", "fe"], ["postgres"]]);
  });

  it("is there without its label too, by the names in the state or its mark", async () => {
    has(["mlflow", "me", {}], ["fe", undefined, {}]);
    expect(await part("fe")).to.deep.equal([["mlflow", "fe"], []]);
    expect(await part(), "anyone's").to.deep.equal([["mlflow"], []]);
    expect(await mayBeThere(api.cluster, owner, [])).to.equal(true);
    has(["fe", undefined, {}]);
    expect(await mayBeThere(api.cluster, owner, ["fe"])).to.equal(true);
    expect(await mayBeThere(api.cluster, owner, [])).to.equal(false);
    expect((await rejection(requireGone(target(), ["fe"], "2 removed"))).message).to.include("namespace fe.");
  });

  it("is not gone where nobody may look", async () => {
    has();
    api.answers["/api/v1/namespaces/fe"] = [403, { kind: "Status", message: "namespaces is forbidden" }];
    for (const look of [
      part("mlflow"),
      mayBeThere(api.cluster, owner, []),
      requireGone(target(), ["fe"], ""),
    ])
      expect((await rejection(look)).message).to.equal("namespaces is forbidden");
  });

  it("is removed where it is its own, and nothing else is", async () => {
    const absent = async (known: readonly string[], data: boolean, empty = known.length === 0) =>
      isAbsent(target(), owner, await ownPart(target(), owner, known), { known, empty, data });
    has(["mlflow", "me"], ["fe"]);
    expect(await absent([], true)).to.equal(false);
    expect(await absent([], false), "what is retained stays").to.equal(true);
    has(["fe"]);
    expect(await absent(["fe"], false)).to.equal(false);
    expect(await absent(["mlflow"], true), "gone").to.equal(true);
    expect(await absent([], true, false), "resources without a namespace").to.equal(false);
    expect(await absent([], false)).to.equal(true);
    expect((await rejection(absent([], true))).message).to.match(
      /^nothing was removed: namespace fe in test may be another stack's, and stays: /,
    );
  });

  it("may be what has no mark: how that is removed, or made its own", async () => {
    has(["fe"], ["mlflow"]);
    const { unmarked } = await ownPart(target(), owner);
    expect(aboutUnmarked(target(), owner, unmarked)).to.equal(
      "namespaces mlflow and fe in test may be another stack's, and stay: no mark says whose, and the state of stack dev, in " +
        "here:/state, knows nothing of them. If nobody needs them, with all the data there: kubectl --context test delete " +
        "namespace mlflow fe. If they are this stack's: kubectl --context test annotate namespace mlflow fe " +
        "mlplatform/owner=me mlplatform/stack=dev; then run this again.",
    );
  });

  it("is nothing that may be removed where another one's mark is", async () => {
    has(["mlflow", "you"], ["fe", "me"]);
    expect(await mayBeThere(api.cluster, owner, [])).to.equal(true);
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

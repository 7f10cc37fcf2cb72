import { expect } from "chai";

import { removeRetained } from "../../../cli/deploy/retained";
import { Interrupted } from "../../../cli/errors";
import { rejection } from "../support/rejection";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";

describe("what outlives a stack on purpose", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const labels = { "app.kubernetes.io/part-of": "mlplatform" };
  const has = (name: string, owner?: string) => {
    const annotations = { ...(owner && { "mlplatform/owner": owner }) };
    api.answers[`/api/v1/namespaces/${name}`] = { metadata: { name, labels, annotations } };
  };
  const definition =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/seldondeployments.machinelearning.seldon.io";
  const deployments = "/apis/machinelearning.seldon.io/v1/seldondeployments";
  const ofRelease = (name: string) => ({ metadata: { annotations: { "meta.helm.sh/release-name": name } } });
  const details: string[] = [];
  const remove = (signal = new AbortController().signal) =>
    removeRetained(
      api.cluster,
      { id: "me", state: "here" },
      ["mlflow"],
      { detail: (text) => details.push(text) },
      signal,
    );

  beforeEach(async () => {
    details.length = 0;
    api = await fakeApi({});
  });
  afterEach(() => api.close());

  it("is removed: its namespaces and no others, and the definition that nobody uses", async () => {
    has("postgres", "me");
    has("mlflow");
    has("fe", "another");
    has("minio-system");
    has("somebody-elses", "me");
    api.answers[definition] = ofRelease("seldon-core-operator");
    setTimeout(() => {
      for (const name of ["postgres", "mlflow"])
        Reflect.deleteProperty(api.answers, `/api/v1/namespaces/${name}`);
    }, 500);
    expect(await remove()).to.deep.equal([
      "namespace postgres",
      "namespace mlflow",
      "definition of SeldonDeployments",
    ]);
    expect(api.changes).to.deep.equal([
      "DELETE /api/v1/namespaces/postgres",
      "DELETE /api/v1/namespaces/mlflow",
      `DELETE ${definition}`,
    ]);
    expect(details).to.deep.equal(["waiting until namespace postgres is gone"]);
  });

  it("is nothing where nothing is left", async () => {
    expect(await remove()).to.deep.equal([]);
    expect(api.changes).to.deep.equal([]);
  });

  it("is not a definition that others use, or have made", async () => {
    api.answers[definition] = ofRelease("seldon-core-operator");
    api.answers[deployments] = { items: [{ metadata: { name: "theirs", namespace: "theirs" } }] };
    expect(await remove()).to.deep.equal([]);
    api.answers[deployments] = { items: [] };
    api.answers[definition] = ofRelease("their-operator");
    expect(await remove()).to.deep.equal([]);
    api.answers[definition] = ofRelease("seldon-core-operator");
    has("seldon-system");
    expect(await remove(), "of an operator that runs").to.deep.equal([]);
    expect(api.changes).to.deep.equal([]);
  });

  it("is not waited for any more when the user stops", async () => {
    has("postgres", "me");
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort(new Interrupted("SIGINT"));
    }, 100);
    expect(await rejection(remove(stop.signal))).to.be.instanceOf(Interrupted);
  });
});

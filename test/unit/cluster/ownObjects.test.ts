import { expect } from "chai";

import { ownObjects } from "../../../cli/cluster/ownObjects";
import { ownership } from "../../../components/kubernetes";
import { type FakeApi, fakeApi } from "./support/fakeApi";

describe("a look for an object of the platform", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const job = "/apis/batch/v1/namespaces/ml/jobs/train";
  const look = () =>
    ownObjects(api.cluster)({
      ...{ apiVersion: "batch/v1", kind: "Job" },
      metadata: { namespace: "ml", name: "train" },
    });

  beforeEach(async () => {
    const resources = [{ name: "jobs", kind: "Job", namespaced: true }];
    api = await fakeApi({ "/apis/batch/v1": { resources } });
  });
  afterEach(() => api.close());

  it("finds none that is not there, or does not bear its mark", async () => {
    expect(await look()).to.equal(undefined);
    api.answers[job] = { metadata: { labels: { "app.kubernetes.io/part-of": "mlplatform" } } };
    expect(await look()).to.equal(undefined);
  });

  it("tells whose it is", async () => {
    api.answers[job] = { metadata: { labels: ownership } };
    expect(await look()).to.deep.equal({ owner: undefined });
    api.answers[job] = { metadata: { labels: ownership, annotations: { "mlplatform/owner": "me" } } };
    expect(await look()).to.deep.equal({ owner: "me" });
  });

  it("waits for one that goes until it is gone", async () => {
    api.answers[job] = { metadata: { labels: ownership, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    const found = look();
    setTimeout(() => {
      Reflect.deleteProperty(api.answers, job);
    }, 100);
    expect(await found).to.equal(undefined);
  });
});

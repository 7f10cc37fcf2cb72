import { expect } from "chai";

import { podsOf, replacePod, until } from "../../e2e/pods";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { rejection } from "../support/rejection";

const selector = { namespace: "ml-models", labels: "app=it" };
const pods = "/api/v1/namespaces/ml-models/pods?labelSelector=app=it";
const pod = (uid: string, ready: boolean) => ({
  metadata: { name: `it-${uid}`, uid },
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});

describe("end to end: pods", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  const dateNow = Date.now;
  let api: FakeApi;

  beforeEach(async () => {
    api = await fakeApi({});
  });
  afterEach(async () => {
    Date.now = dateNow;
    await api.close();
  });

  it("are found by their labels", async () => {
    api.answers[pods] = { items: [pod("1", true)] };
    expect(await podsOf(api.cluster, selector)).to.deep.equal([pod("1", true)]);
    expect(await podsOf(api.cluster, { ...selector, labels: "app=other" })).to.deep.equal([]);
  });

  it("are replaced when all are others than the deleted one, and ready", async () => {
    const seen = [
      [pod("1", true), pod("2", true)],
      [pod("1", true), pod("2", true), pod("3", true)],
      [],
      [pod("2", true), pod("3", false)],
      [pod("2", true), pod("3", true)],
    ];
    let asked = 0;
    Object.defineProperty(api.answers, pods, { get: () => ({ items: seen[asked++] }) });
    await replacePod(api.cluster, selector);
    expect(asked).to.equal(seen.length);
    expect(api.changes).to.deep.equal(["DELETE /api/v1/namespaces/ml-models/pods/it-1"]);
  });

  it("are not replaced where there is none", async () => {
    expect((await rejection(replacePod(api.cluster, selector))).message).to.equal(
      "no pod app=it in ml-models",
    );
    expect(api.changes).to.deep.equal([]);
  });

  it("are waited for until it is so, whatever fails meanwhile", async () => {
    const answers = [() => Promise.reject(new Error("not yet")), () => Promise.resolve(true)];
    let asked = 0;
    await until("it is so", () => answers[asked++]?.() ?? Promise.resolve(false));
    expect(asked).to.equal(2);
  });

  it("are waited for until the time is over, with the last error", async () => {
    let now = 0;
    Date.now = () => (now += 200_000);
    const failing = () => Promise.reject(new Error("connection refused"));
    expect((await rejection(until("it is so", failing))).message).to.equal(
      "waited 180 s until it is so: Error: connection refused",
    );
    expect((await rejection(until("it is so", () => Promise.resolve(false)))).message).to.equal(
      "waited 180 s until it is so",
    );
  });
});

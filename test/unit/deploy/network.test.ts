import { expect } from "chai";

import type { Cluster } from "../../../cli/cluster/cluster";
import { behindSilence } from "../../../cli/deploy/network";
import { Interrupted, UserError } from "../../../cli/errors";
import { Progress } from "../../../cli/progress";
import type { ClusterTarget } from "../../../cli/target";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";

describe("an error about somebody who was not reached", function () {
  this.timeout(60_000);
  const probe = "/api/v1/namespaces/probe";
  let api: FakeApi;

  before(async () => {
    const service = { metadata: { name: "kubernetes", namespace: "default" } };
    api = await fakeApi({
      "/api/v1/namespaces/default/services": {
        items: [{ ...service, spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443 }] } }],
      },
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": {
        items: [
          {
            metadata: { labels: { "kubernetes.io/service-name": "kubernetes" } },
            ports: [{ name: "https", port: 6443 }],
            endpoints: [{ addresses: ["10.0.0.2"] }],
          },
        ],
      },
      "/api/v1/namespaces": { metadata: { name: "probe" } },
      [`${probe}/secrets`]: { metadata: { name: "probe" } },
      [`${probe}/pods`]: { metadata: { name: "probe" } },
      [`${probe}/pods/probe`]: { status: { phase: "Succeeded" } },
      [`${probe}/pods/probe/log`]: '{"unknown":{},"reached":["10.0.0.2:6443"]}\n',
    });
  });
  after(() => api.close());
  beforeEach(() => {
    api.changes.length = 0;
  });

  const behind = async (error: unknown, cluster: Cluster = api.cluster) => {
    const target = { cluster, stack: "dev" } as ClusterTarget;
    let outcome: unknown;
    await outputOf(async () => {
      outcome = await behindSilence(target, error, new Progress("json"), new AbortController().signal);
    });
    return outcome;
  };

  it("gets what a pod has found out", async () => {
    const outcome = await behind(new UserError("MLflow does not come up: Job x fails; timed out"));
    expect((outcome as Error).message).to.match(
      /^MLflow does not come up: .*\n {2}Behind it: the cluster's service routing \(kube-proxy\) .*\n {2}See whether kube-proxy runs/,
    );
  });

  it("is left as it is where nothing is found, or nobody may look", async () => {
    const error = new UserError("it does not answer");
    api.answers[`${probe}/pods/probe/log`] = '{"unknown":{},"reached":["10.0.0.2:6443","10.96.0.1:443"]}\n';
    expect(await behind(error)).to.equal(error);
    api.answers["/api/v1/namespaces"] = [403, { kind: "Status", message: "forbidden" }];
    expect(await behind(error)).to.equal(error);
  });

  it("is no reason to look where it is about something else", async () => {
    for (const error of [
      new UserError("image x does not exist"),
      new Interrupted("SIGINT"),
      new TypeError("refused"),
    ])
      expect(await behind(error)).to.equal(error);
    expect(api.changes).to.deep.equal([]);
  });
});

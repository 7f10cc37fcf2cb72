import { expect } from "chai";

import { type Route, type RoutingAnswer, findingsIn, routingFindings } from "../../../cli/cluster/routing";
import { type FakeApi, fakeApi } from "./support/fakeApi";

const api: Route = {
  namespace: "default",
  service: "kubernetes",
  address: "10.96.0.1:443",
  behind: ["10.0.0.2:6443"],
};
const mlflow: Route = {
  namespace: "mlflow",
  service: "mlflow",
  address: "10.96.0.7:5000",
  behind: ["10.244.0.5:5000", "10.244.0.6:5000"],
};
const behind = [...api.behind, ...mlflow.behind];

describe("what a pod finds of names and Services", function () {
  this.timeout(20_000);

  const find = (answer: Partial<RoutingAnswer>, dns?: string) =>
    findingsIn([api, mlflow], { unknown: {}, reached: [], ...answer }, dns).map(({ object, what, mend }) => [
      object.name,
      what,
      /get pods -l (\S+)/.exec(mend ?? "")?.[1],
    ]);
  const unknown = { "kubernetes.default.svc": "Name or service not known" };

  it("is nothing where all Services lead to what answers", () => {
    expect(find({ reached: [api.address, mlflow.address, ...behind] })).to.deep.equal([]);
  });

  it("says nothing of a Service behind which nobody answers either", () => {
    expect(find({ reached: [api.address, ...api.behind] })).to.deep.equal([]);
    expect(find({})).to.deep.equal([]);
  });

  it("blames the routing where what is behind a Service answers, whatever names do then", () => {
    expect(find({ reached: behind, unknown }, "it does not run")).to.deep.equal([
      [
        "kubernetes",
        "the cluster's service routing (kube-proxy) does not reach 2 of 2 Services: kubernetes in default does not " +
          "answer at 10.96.0.1:443, while what is behind it answers at 10.0.0.2:6443",
        "k8s-app=kube-proxy",
      ],
    ]);
    const one = find({ reached: [api.address, ...api.behind, "10.244.0.6:5000"] });
    expect(one[0]?.[1]).to.match(
      /not reach 1 of 2 Services: mlflow in mlflow .* answers at 10\.244\.0\.6:5000$/,
    );
  });

  it("blames the name servers where Services are reached", () => {
    const reached = [api.address, mlflow.address, ...behind];
    const reason =
      "the cluster does not resolve its own names in a pod (kubernetes.default.svc: Name or service not known)";
    expect(find({ reached, unknown })).to.deep.equal([["kube-dns", reason, "k8s-app=kube-dns"]]);
    expect(find({ reached, unknown }, "none is ready")[0]?.[1]).to.equal(`${reason}; none is ready`);
  });

  describe("asked", () => {
    let server: FakeApi;
    before(async () => {
      server = await fakeApi({});
    });
    after(() => server.close());

    it("of the Services that have an address, and of what is ready behind them", async () => {
      const slices = "/apis/discovery.k8s.io/v1/namespaces/mlflow/endpointslices";
      const services = "/api/v1/namespaces/mlflow/services";
      const probe = "/api/v1/namespaces/probe";
      const service = (name: string, spec: object) => ({ metadata: { name, namespace: "mlflow" }, spec });
      const http = { name: "http", port: 80 };
      Object.assign(server.answers, {
        [services]: {
          items: [
            service("web", {
              clusterIP: "10.96.0.8",
              ports: [{ name: "udp", port: 53, protocol: "UDP" }, http],
            }),
            service("headless", { clusterIP: "None", ports: [http] }),
            service("empty", { clusterIP: "fd00::8", ports: [http] }),
          ],
        },
        [slices]: {
          items: [
            {
              metadata: { labels: { "kubernetes.io/service-name": "web" } },
              ports: [{ name: "http", port: 8080 }],
              endpoints: [
                { addresses: ["10.244.0.5"], conditions: { ready: true } },
                { addresses: ["10.244.0.6"], conditions: { ready: false } },
                { addresses: ["fd00::5"] },
              ],
            },
            {
              metadata: { labels: { "kubernetes.io/service-name": "empty" } },
              ports: [{ name: "http", port: 8080 }],
              endpoints: null,
            },
          ],
        },
        "/api/v1/namespaces": { metadata: { name: "probe" } },
        [`${probe}/secrets`]: { metadata: { name: "probe" } },
        [`${probe}/pods`]: { metadata: { name: "probe" } },
        [`${probe}/pods/probe`]: { status: { phase: "Succeeded" } },
        [`${probe}/pods/probe/log`]: '{"unknown":{},"reached":["10.244.0.5:8080"]}\n',
      });
      const { signal } = new AbortController();
      const findings = await routingFindings(server.cluster, "image:1", { detail: () => undefined }, signal);
      expect(findings.map(({ what }) => what)[0]).to.match(/1 of 1 Services: web in mlflow/);
      const asked = /"question.json":"((?:\\"|[^"])*)"/.exec(server.changes.join("\n"))?.[1] ?? "";
      expect(JSON.parse(asked.replaceAll('\\"', '"'))).to.deep.equal({
        names: ["kubernetes.default.svc"],
        addresses: ["10.96.0.8:80", "10.244.0.5:8080", "[fd00::5]:8080"],
      });
    });
  });
});

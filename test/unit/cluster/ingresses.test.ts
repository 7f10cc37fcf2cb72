import { expect } from "chai";

import { ingressFaults } from "../../../cli/cluster/ingresses";
import { ingress, letIn, plannedWays } from "../../../cli/preflight/ingress";
import { Inspection } from "../../../cli/preflight/inspection";
import { ingressItems } from "../../../cli/status/ingresses";
import program from "../../../index";
import { record } from "../support/recorder";
import { type FakeApi, fakeApi } from "./support/fakeApi";

const classes = "/apis/networking.k8s.io/v1/ingressclasses";
const secret = "/api/v1/namespaces/mlflow/secrets/mlflow-tls";
const live = "/apis/networking.k8s.io/v1/namespaces/mlflow/ingresses";

describe("a way in from outside", () => {
  let api: FakeApi;
  before(async () => {
    api = await fakeApi({});
  });
  after(() => api.close());
  beforeEach(() => {
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    api.answers[classes] = { items: [{ metadata: { name: "nginx" } }] };
    api.answers[secret] = { type: "kubernetes.io/tls" };
  });

  const needs = { namespace: "mlflow", className: "nginx", secrets: ["mlflow-tls"], annotations: {} };
  const faults = async (changes: Partial<typeof needs> & { annotations?: Record<string, string> } = {}) =>
    (await ingressFaults(api.cluster, { ...needs, ...changes })).map(({ what, mend }) => `${what}. ${mend}`);

  it("lacks nothing where class and certificate are there", async () => {
    expect(await faults()).to.deep.equal([]);
    expect(await ingressFaults(api.cluster, { ...needs, className: undefined })).to.deep.equal([]);
  });

  it("tells a class that the cluster does not have", async () => {
    expect((await faults({ className: "traefik" })).join()).to.match(
      /class traefik, and the cluster has nginx/,
    );
    api.answers[classes] = { items: [] };
    expect((await faults()).join()).to.match(/class nginx, and the cluster has none/);
  });

  it("tells a certificate that is missing or no certificate, unless cert-manager is to make it", async () => {
    api.answers[secret] = { type: "Opaque" };
    expect((await faults()).join()).to.match(/is of type Opaque, not kubernetes.io\/tls/);
    api.answers[secret] = undefined;
    expect((await faults()).join()).to.match(
      /which is not there.*kubectl -n mlflow create secret tls mlflow-tls/,
    );
    expect(await faults({ annotations: { "cert-manager.io/cluster-issuer": "letsencrypt" } })).to.deep.equal(
      [],
    );
  });

  it("is a warning before it is made", async () => {
    const way = {
      host: "mlflow.example.com",
      className: "traefik",
      namespace: "traefik",
      tlsSecret: "mlflow-tls",
    };
    const config = { "mlplatform:context": "test", "mlplatform:tracking": JSON.stringify({ ingress: way }) };
    const recording = await record(program, config, { stack: "dev" });
    expect(
      plannedWays(recording).map(({ release, className }) => `${release} ${String(className)}`),
    ).to.deep.equal(["mlflow traefik"]);
    expect(letIn(recording)).to.deep.equal(["traefik"]);
    api.answers["/api/v1/namespaces"] = { items: [{ metadata: { name: "default" } }] };
    const given = { plan: { recording }, target: { cluster: api.cluster } } as unknown as Inspection;
    const found = await ingress.find(new Inspection(given, new AbortController().signal));
    expect(found.map(({ severity, what }) => `${severity}: ${what}`)).to.deep.equal([
      "warning: the Ingress of mlflow names the ingress class traefik, and the cluster has nginx: no controller takes it up",
      "warning: network policies let in pods of namespace traefik, which the cluster does not have",
    ]);
  });

  it("is a line of the status", async () => {
    const spec = {
      ingressClassName: "nginx",
      rules: [{ host: "m.example.com" }],
      tls: [{ secretName: "mlflow-tls" }],
    };
    const metadata = { namespace: "mlflow", name: "mlflow" };
    const states = async (status: object) => {
      api.answers[live] = { items: [{ metadata, spec, status }] };
      return (await ingressItems(api.cluster, ["mlflow"])).map(
        ({ health, state, detail }) => `${health} ${state}: ${detail}`,
      );
    };
    const taken = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
    expect(await states(taken)).to.deep.equal(["well taken up: m.example.com at 192.0.2.1"]);
    expect(await states({})).to.deep.equal([
      "warning no address: m.example.com: its controller has told none",
    ]);
    api.answers[classes] = { items: [] };
    expect((await states(taken)).join()).to.match(/^ill incomplete: names the ingress class nginx/);
  });
});

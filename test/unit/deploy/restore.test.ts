import { expect } from "chai";

import type { Declared } from "../../../cli/deploy/declared";
import { restoreReleases } from "../../../cli/deploy/restore";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { record } from "../cluster/support/helmRecord";

const manifest = `---
# Source: it/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name: it, labels: {app: it}}
spec: {ports: [{port: 80}]}
---
apiVersion: rbac.example.com/v1
kind: ClusterThing
metadata: {name: all}
mode: 0755
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
---
apiVersion: unknown.example.com/v1
kind: Other
metadata: {name: it}
---
`;

describe("putting back what a release has installed", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const release: Declared = { kind: "Release", namespace: "ns", name: "it", predictors: [] };
  const service = "/api/v1/namespaces/ns/services/it";
  const thing = "/apis/rbac.example.com/v1/things/all";
  const how = "?fieldManager=helm&force=true";

  const restore = (...declared: readonly Declared[]) => compare("restore", ...declared);
  const compare = async (how: "look" | "restore", ...declared: readonly Declared[]) =>
    (await restoreReleases(api.cluster, declared, { detail: () => undefined }, how)).map(
      ({ object, was, problem }) => `${object} ${was}${problem === undefined ? "" : `: ${problem}`}`,
    );
  /** What was changed for good, as the objects that were sent. */
  const applied = () =>
    api.changes.flatMap((change) => {
      const [, address, body = ""] = /^PATCH (\S+) (.*)$/s.exec(change) ?? [];
      return address?.includes("dryRun") === true ? [] : [[address, JSON.parse(body) as unknown] as const];
    });

  beforeEach(async () => {
    const kinds = (...resources: readonly object[]) => ({ resources });
    api = await fakeApi({
      "/api/v1/namespaces/ns/secrets": { items: [record("it", 1, "deployed", { manifest })] },
      "/api/v1": kinds(
        { name: "services/status", kind: "Service", namespaced: true },
        { name: "services", kind: "Service", namespaced: true },
        { name: "persistentvolumeclaims", kind: "PersistentVolumeClaim", namespaced: true },
      ),
      "/apis/rbac.example.com/v1": kinds({ name: "things", kind: "ClusterThing", namespaced: false }),
      [service]: { metadata: { uid: "1" }, spec: { ports: [{ port: 80, protocol: "TCP" }] }, status: {} },
      [`${service}${how}&dryRun=All`]: { metadata: {}, spec: { ports: [{ port: 80, protocol: "TCP" }] } },
      [thing]: { metadata: {}, mode: 493 },
      [`${thing}${how}&dryRun=All`]: { metadata: {}, mode: 493 },
    });
  });
  afterEach(() => api.close());

  it("changes nothing where all is as the release has it, whatever the API server has filled in", async () => {
    expect(await restore(release)).to.deep.equal([]);
    expect(applied()).to.deep.equal([]);
  });

  it("puts back what is gone, with Helm's marks, and numbers as Helm reads them; volume claims are left alone", async () => {
    Reflect.deleteProperty(api.answers, thing);
    expect(await compare("look", release)).to.deep.equal(["ClusterThing all in ns gone"]);
    expect(applied(), "by a look").to.deep.equal([]);
    api.answers[`${thing}${how}`] = {};
    expect(await restore(release)).to.deep.equal(["ClusterThing all in ns gone"]);
    const labels = { "app.kubernetes.io/managed-by": "Helm" };
    const annotations = { "meta.helm.sh/release-name": "it", "meta.helm.sh/release-namespace": "ns" };
    expect(applied()).to.deep.equal([
      [
        `${thing}${how}`,
        {
          ...{ apiVersion: "rbac.example.com/v1", kind: "ClusterThing", mode: 493 },
          metadata: { name: "all", labels, annotations },
        },
      ],
    ]);
  });

  it("puts back what was changed by hand", async () => {
    api.answers[service] = { metadata: {}, spec: { ports: [{ port: 81, protocol: "TCP" }] } };
    api.answers[`${service}${how}`] = {};
    expect(await restore(release)).to.deep.equal(["Service it in ns changed"]);
    expect(applied().map(([address]) => address)).to.deep.equal([`${service}${how}`]);
  });

  it("puts back a definition whose versions are others, and waits until it holds", async () => {
    const definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/large";
    const spec = { versions: [{ name: "v1", served: true, storage: true, schema: "x".repeat(100_000) }] };
    const rendered = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
    const large = JSON.stringify({ ...rendered, metadata: { name: "large" }, spec });
    api.answers["/api/v1/namespaces/ns/secrets"] = {
      items: [record("it", 1, "deployed", { manifest: large })],
    };
    api.answers["/apis/apiextensions.k8s.io/v1"] = {
      resources: [{ name: "customresourcedefinitions", kind: rendered.kind, namespaced: false }],
    };
    const status = { conditions: [{ type: "Established", status: "True" }] };
    api.answers[`${definition}${how}`] = {};
    api.answers[definition] = { spec: { versions: [{ name: "v1", served: true, storage: true }] }, status };
    expect(await restore(release), "the same").to.deep.equal([]);
    api.answers[definition] = { spec: { versions: [{ name: "v1", served: false, storage: true }] }, status };
    expect(await restore(release)).to.deep.equal(["CustomResourceDefinition large in ns changed"]);
    expect(applied().map(([address]) => address)).to.deep.equal([`${definition}${how}`]);
  });

  it("tells what cannot be put back, and goes on", async () => {
    Reflect.deleteProperty(api.answers, thing);
    api.answers[`${thing}${how}`] = [403, { kind: "Status", message: "not allowed" }];
    expect(await restore(release)).to.deep.equal(["ClusterThing all in ns gone: not allowed"]);
  });

  it("leaves out what may not be read", async () => {
    api.answers[service] = [403, { kind: "Status", message: "not allowed" }];
    Reflect.deleteProperty(api.answers, thing);
    expect(await compare("look", release)).to.deep.equal(["ClusterThing all in ns gone"]);
  });

  it("looks at deployed releases of the stack alone", async () => {
    api.answers["/api/v1/namespaces/ns/secrets"] = { items: [record("it", 1, "failed", { manifest })] };
    Reflect.deleteProperty(api.answers, service);
    expect(await restore(release)).to.deep.equal([]);
    expect(await restore({ ...release, name: "another" })).to.deep.equal([]);
    expect(api.changes).to.deep.equal([]);
  });
});

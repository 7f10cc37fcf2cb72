import { expect } from "chai";

import { keepPostgresVersion } from "../../../cli/cluster/postgresVersion";
import { type FakeApi, fakeApi } from "./support/fakeApi";

describe("the version of Postgres on its volume", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const claims = "/api/v1/namespaces/postgres/persistentvolumeclaims";
  const sets = "/apis/apps/v1/namespaces/postgres/statefulsets";
  const set = (readyReplicas: number, image = "docker.io/library/postgres:18.6@sha256:ab") => ({
    metadata: { name: "postgresql" },
    spec: {
      volumeClaimTemplates: [{ metadata: { name: "data" } }],
      template: { spec: { containers: [{ image }] } },
    },
    status: { readyReplicas },
  });
  const claim = (name: string, major?: string) => ({
    metadata: { name, annotations: { ...(major && { "mlplatform/postgres-major": major }) } },
  });
  const kept = async (found: object, ...there: object[]) => {
    const warnings: string[] = [];
    Object.assign(api.answers, { [sets]: { items: [found] }, [claims]: { items: there } });
    await keepPostgresVersion(api.cluster, { warn: (text) => warnings.push(text) });
    return [...api.changes.splice(0), ...warnings];
  };
  const patch = (major: string) =>
    `PATCH ${claims}/data-postgresql-0 {"metadata":{"annotations":{"mlplatform/postgres-major":"${major}"}}}`;

  beforeEach(async () => {
    api = await fakeApi({ [`${claims}/data-postgresql-0`]: {} });
  });
  afterEach(() => api.close());

  it("is written on its own claims, once", async () => {
    expect(await kept(set(1), claim("data-postgresql-0"), claim("theirs"))).to.deep.equal([patch("18")]);
    expect(await kept(set(1), claim("data-postgresql-0", "18"))).to.deep.equal([]);
  });

  it("is that of a Postgres that runs, as far as its image tells", async () => {
    expect(await kept(set(0), claim("data-postgresql-0"))).to.deep.equal([]);
    expect(await kept(set(1, "localhost:5000/postgres"), claim("data-postgresql-0", "18"))).to.deep.equal([]);
  });

  it("is told where it cannot be written", async () => {
    api.answers[`${claims}/data-postgresql-0`] = [403, { kind: "Status", message: "claims are read-only" }];
    expect(await kept(set(1), claim("data-postgresql-0"))).to.deep.equal([
      patch("18"),
      "which version of Postgres has written its volume could not be kept with it: claims are read-only",
    ]);
  });
});

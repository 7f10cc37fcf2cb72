import { expect } from "chai";

import { HelmReleases } from "../../../cli/cluster/releases";
import { type FakeApi, fakeApi } from "./support/fakeApi";
import { record } from "./support/helmRecord";

const secrets = "/api/v1/namespaces/db/secrets";

describe("Helm's records", function () {
  this.timeout(60_000);
  let api: FakeApi;

  before(async () => {
    const chart = { metadata: { name: "postgres", version: "0.20.1", appVersion: "18.6" } };
    const info = { last_deployed: "2026-11-25T10:00:00Z", description: "Upgrade failed: timed out" };
    const records = [
      record("pg", 9, "superseded", { chart }),
      record("pg", 10, "failed", { chart, info }),
      record("broken", 1, "pending-install"),
    ];
    const query = "labelSelector=owner=helm&fieldSelector=type=helm.sh/release.v1";
    const ofPg = "labelSelector=owner=helm,name=pg&fieldSelector=type=helm.sh/release.v1";
    api = await fakeApi({
      [`${secrets}?${query}`]: { items: records },
      [`${secrets}?${ofPg}`]: { items: records.slice(0, 2) },
      [`${secrets}/sh.helm.release.v1.pg.v9`]: {},
      [`${secrets}/sh.helm.release.v1.pg.v10`]: {},
    });
  });
  after(() => api.close());
  beforeEach(() => {
    api.changes.length = 0;
  });

  it("tell the newest revision of each release, also where one is damaged", async () => {
    expect(await new HelmReleases(api.cluster).list("db")).to.deep.equal([
      {
        name: "broken",
        namespace: "db",
        status: "pending-install",
        revision: 1,
        chart: "",
        version: "",
        appVersion: "",
        deployed: "",
        description: "",
        manifest: "",
      },
      {
        name: "pg",
        namespace: "db",
        status: "failed",
        revision: 10,
        chart: "postgres",
        version: "0.20.1",
        appVersion: "18.6",
        deployed: "2026-11-25T10:00:00Z",
        description: "Upgrade failed: timed out",
        manifest: "",
      },
    ]);
    expect(await new HelmReleases(api.cluster).list("elsewhere")).to.deep.equal([]);
  });

  it("forget the newest revision, or all", async () => {
    const releases = new HelmReleases(api.cluster);
    await releases.forget("db", "pg", "newest");
    expect(api.changes).to.deep.equal([`DELETE ${secrets}/sh.helm.release.v1.pg.v10`]);
    await releases.forget("db", "pg", "all");
    expect(api.changes.slice(1)).to.deep.equal([
      `DELETE ${secrets}/sh.helm.release.v1.pg.v10`,
      `DELETE ${secrets}/sh.helm.release.v1.pg.v9`,
    ]);
  });
});

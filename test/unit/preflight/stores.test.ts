import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { type StoreFact, storeProblems } from "../../../cli/preflight/storeProblems";
import { askStores, hasOutsideStores } from "../../../cli/preflight/stores";
import type { PlatformConfig } from "../../../config";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";

const database = { host: "db", port: 5432, name: "runs", username: "me" };
const buckets = { modelBucket: "models", dataBucket: "data", predictionBucket: "predictions" };
const store = { endpoint: "https://s3", region: "here", copiesFolder: "copies", ...buckets };
const of = (...facts: readonly Partial<StoreFact>[]) =>
  storeProblems(
    facts.map((fact) => ({ about: "store", fault: "other", said: "no", ...fact })),
    { database, store },
    "prod",
  );

/** What is wrong, and all keys of the configuration that the mend or the problem names. */
const cases: readonly [Partial<StoreFact>, RegExp, readonly string[]][] = [
  [{ about: "database", fault: "name" }, /knows db, the database's host \(no\)/, ["database.host"]],
  [
    { about: "database", fault: "closed" },
    /db:5432 cannot be reached from a pod.*: no/,
    ["database.host", "database.port"],
  ],
  [{ about: "database", fault: "silent" }, /db:5432 cannot be reached/, ["database.host", "database.port"]],
  [
    { about: "database", fault: "login" },
    /db:5432 refuses user me: no/,
    ["database.username", "database.password"],
  ],
  [{ about: "database", fault: "database" }, /has no database runs/, ["database.name"]],
  [
    { about: "database", fault: "schema" },
    /user me can make no tables in database runs/,
    ["database.username"],
  ],
  [{ about: "database", fault: "owner", said: "root" }, /runs belong to root/, ["database.username"]],
  [
    { about: "database", fault: "other" },
    /does not answer as it should: no/,
    ["database.host", "database.port"],
  ],
  [{ fault: "name" }, /knows the host of the store https:\/\/s3/, ["objectStore.endpoint"]],
  [{ fault: "closed" }, /https:\/\/s3 cannot be reached/, ["objectStore.endpoint"]],
  [{ fault: "certificate" }, /certificate of the store https:\/\/s3/, ["objectStore.endpoint"]],
  [{ fault: "region" }, /in another region/, ["objectStore.region"]],
  [{ fault: "clock" }, /clock and the cluster's differ/, []],
  [{ fault: "other", user: "tracking" }, /does not answer user tracking/, ["objectStore.endpoint"]],
  [
    { about: "serving", fault: "login" },
    /refuses the keys of user serving/,
    ["objectStore.users.serving.accessKeyId", "objectStore.users.serving.secretAccessKey"],
  ],
  [{ about: "training", fault: "bucket", bucket: "data" }, /no bucket data/, ["objectStore.dataBucket"]],
  [
    { about: "serving", fault: "forbidden", right: "read", bucket: "models" },
    /user serving .* may not read objects of bucket models: no/,
    ["objectStore.users.serving"],
  ],
  [
    { about: "training", fault: "forbidden", right: "list", bucket: "data" },
    /user training .* may not list objects of bucket data, or there is no such bucket: no/,
    ["objectStore.users.training", "objectStore.dataBucket"],
  ],
  [
    { about: "batch", fault: "forbidden", right: "list", bucket: "predictions" },
    /user batch .* may not list objects of bucket predictions, or there is no such bucket: no/,
    ["objectStore.users.batch", "objectStore.predictionBucket"],
  ],
];

describe("stores outside of the cluster", function () {
  this.timeout(20_000);

  for (const [fact, what, keys] of cases)
    it(`${fact.about ?? "store"}: ${fact.fault ?? ""}`, () => {
      const [problem, ...others] = of(fact);
      expect(others).to.deep.equal([]);
      expect(problem?.severity).to.equal("error");
      expect(problem?.what).to.match(what);
      for (const key of keys) expect(`${problem?.what ?? ""} ${problem?.mend ?? ""}`).to.include(key);
    });

  it("says how a secret is corrected", () => {
    const mends = of({ about: "database", fault: "login" }, { about: "serving", fault: "login" });
    expect(mends.map(({ mend }) => mend?.replace(/^.*: /, ""))).to.deep.equal([
      "npm run secret -- database.password --stack prod",
      "npm run secret -- objectStore.users.serving.secretAccessKey --stack prod",
    ]);
  });

  it("only warns of a database that is busy", () => {
    expect(of({ about: "database", fault: "busy" })[0]?.severity).to.equal("warning");
  });

  it("tells a bucket once, and all rights that a user lacks together, with what it could not remove", () => {
    const tracking = { about: "tracking", fault: "forbidden", bucket: "models" };
    const problems = of(
      { about: "tracking", fault: "bucket", bucket: "models" },
      { about: "serving", fault: "bucket", bucket: "models" },
      { ...tracking, right: "read" },
      { ...tracking, right: "delete", key: "mlflow/probe" },
    );
    expect(problems.map(({ what }) => what)).to.deep.equal([
      "the store has no bucket models (objectStore.modelBucket)",
      "user tracking (objectStore.users.tracking) may not read and delete objects of bucket models: no",
    ]);
    expect(problems[1]?.mend).to.include("Remove mlflow/probe,");
  });

  it("only warns of rights to copies of data, one for each user", () => {
    const lacking = { fault: "forbidden", bucket: "data", folder: "copies/" };
    const problems = of(
      { ...lacking, about: "training", right: "write" },
      { ...lacking, about: "tracking", right: "list" },
      { ...lacking, about: "tracking", right: "delete", key: "copies/probe" },
    );
    expect(problems.map(({ severity, what }) => `${severity}: ${what}`)).to.deep.equal([
      "warning: user training (objectStore.users.training) may not write objects below copies/ of bucket data: no",
      "warning: user tracking (objectStore.users.tracking) may not list and delete objects below copies/ of bucket data: no",
    ]);
    expect(problems[0]?.mend).to.match(/or go on without copies of the data that models are trained on$/);
    expect(problems[1]?.mend).to.include("Remove copies/probe,");
  });

  it("are there if database or store is external", () => {
    const resources = (...types: readonly string[]) =>
      ({ resources: types.map((type) => ({ type })) }) as unknown as Parameters<typeof hasOutsideStores>[0];
    expect(hasOutsideStores(resources("mlplatform:database:PostgresChart"))).to.equal(false);
    expect(hasOutsideStores(resources("mlplatform:database:ExternalDatabase"))).to.equal(true);
    expect(hasOutsideStores(resources("mlplatform:objectStore:ExternalS3"))).to.equal(true);
  });

  describe("asked from a pod", () => {
    const namespace = "/api/v1/namespaces/probe";
    let api: FakeApi;

    before(async () => {
      api = await fakeApi({});
    });
    after(() => api.close());

    const user = (key: string) => ({ accessKeyId: "id", secretAccessKey: pulumi.secret(key) });
    const users = { tracking: user("s3-one"), serving: user("s3-two"), training: user("s3-three") };
    const config = {
      database: { kind: "external", ...database, password: pulumi.secret("hidden") },
      objectStore: { kind: "external", ...store, users },
      mirror: { images: "registry.example.com/mirror" },
    } as unknown as PlatformConfig;
    const ask = () =>
      askStores(
        { cluster: api.cluster, stack: "prod" },
        config,
        { detail: () => undefined },
        new AbortController().signal,
      );

    it("with the configuration's secrets, by the platform's own image", async () => {
      Object.assign(api.answers, {
        "/api/v1/namespaces": { metadata: { name: "probe" } },
        [`${namespace}/secrets`]: { metadata: { name: "probe" } },
        [`${namespace}/pods`]: { metadata: { name: "probe" } },
        [`${namespace}/pods/probe`]: { status: { phase: "Succeeded" } },
        [`${namespace}/pods/probe/log`]:
          '{"facts":[{"about":"database","fault":"login","said":"FATAL: no"}]}\n',
      });
      const problems = await ask();
      expect(problems.map(({ what }) => what)).to.deep.equal([
        "the database db:5432 refuses user me: FATAL: no",
      ]);
      const [, secret = "", pod = ""] = api.changes;
      for (const value of ["hidden", "s3-one", "s3-two", "s3-three"]) {
        expect(secret).to.include(value);
        expect(pod).to.not.include(value);
      }
      expect(pod).to.include('"image":"registry.example.com/mirror/burakince/mlflow:');
    });

    it("or not at all, which is a warning", async () => {
      api.answers["/api/v1/namespaces"] = [403, { kind: "Status", message: "namespaces is forbidden" }];
      const [problem] = await ask();
      expect(problem?.severity).to.equal("warning");
      expect(problem?.what).to.match(/could not be asked from there: namespaces is forbidden$/);
    });
  });
});

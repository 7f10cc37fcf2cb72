import { expect } from "chai";

import type { Diagnosis } from "../../../cli/cluster/diagnosis/diagnosis";
import { byDoctor } from "../../../cli/checks/registry";
import type { Patient } from "../../../cli/doctor/patient";
import type { Item } from "../../../cli/status/item";
import { statusCheck, unexplained } from "../../../cli/doctor/statusCheck";
import type { Holder, StackRecord } from "../../../cli/doctor/stackRecord";
import { treat } from "../../../cli/doctor/treatment";
import { Progress } from "../../../cli/progress";
import type { Finding } from "../../../finding";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";

const definition =
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/seldondeployments.machinelearning.seldon.io";
const models = "/apis/machinelearning.seldon.io/v1/seldondeployments";
const webhooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const secrets = "/api/v1/namespaces/db/secrets";

describe("the doctor", function () {
  this.timeout(60_000);
  let api: FakeApi;
  let settled: number;

  before(async () => {
    api = await fakeApi({});
  });
  after(() => api.close());
  beforeEach(() => {
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    api.changes.length = 0;
    settled = 0;
  });

  const stack = (holders: readonly Holder[], pending: readonly string[] = []): StackRecord => ({
    name: "dev",
    holders: () => holders,
    pending: () => Promise.resolve(pending),
    settle: () => {
      settled += 1;
      return Promise.resolve();
    },
  });
  const examine = async (over: Partial<Patient> = {}): Promise<Finding[]> => {
    const look = () => Promise.resolve([]);
    const status = () => Promise.resolve([]);
    const network = look;
    const patient = {
      cluster: api.cluster,
      namespaces: ["db"],
      stack: undefined,
      look,
      network,
      status,
      ...over,
    };
    return (await Promise.all(byDoctor.map((check) => check.find(patient)))).flat();
  };
  const told = (found: readonly Finding[]) =>
    found.map(({ severity, what, mend, repair }) => [
      `${severity === "error" ? "" : "? "}${what}`,
      repair !== undefined,
      /npm run \w+|pulumi .*/.exec(mend ?? "")?.[0],
    ]);
  const mendAll = async (found: readonly Finding[]) => {
    for (const { repair } of found) await repair?.();
  };

  it("tells what a pod finds wrong with the cluster's network", async () => {
    const object = { kind: "Service", namespace: "default", name: "kubernetes" };
    const finding = {
      object,
      cause: "network",
      what: "no routing",
      mend: "See to it.",
      severity: "error",
    } as const;
    const [problem] = await examine({ network: () => Promise.resolve([finding]) });
    expect([problem?.detail, problem?.mend]).to.deep.equal(["no routing", "See to it."]);
  });

  it("finds nothing in an empty cluster", async () => {
    expect(await examine()).to.deep.equal([]);
  });

  it("speaks of whatever the status marks", async () => {
    const item = (name: string, health: Item["health"], mend?: string): Item => ({
      ...{ part: "release", name, health, state: "missing", detail: "it is not in the cluster" },
      ...(mend === undefined ? {} : { mend }),
    });
    const marked = await statusCheck.find({
      status: () =>
        Promise.resolve([
          item("mlflow/mlflow", "ill", "npm run up"),
          item("db/pg", "ill"),
          item("db/other", "warning"),
        ]),
    } as unknown as Patient);
    expect(told(marked)).to.deep.equal([
      ["release mlflow/mlflow: missing", false, "npm run up"],
      ["release db/pg: missing", false, "npm run logs"],
      ["? release db/other: missing", false, undefined],
    ]);
  });

  it("says once what a problem explains, and leaves out nothing whose name it only contains", async () => {
    const item = (part: Item["part"], name: string, more: Partial<Item> = {}): Item => ({
      ...{ part, name, health: "ill", state: "0/1 ready", detail: "" },
      ...more,
    });
    const items = [
      item("release", "mlflow/mlflow", { state: "missing" }),
      item("database", "postgresql", { facts: { release: "pg" } }),
      item("tracking", "mlflow", { facts: { release: "mlflow" } }),
      item("workload", "Service mlflow in mlflow", { state: "gone" }),
      item("job", "mlflow/mlflow-migrate"),
      item("pod", "postgres/pg-0"),
      item("object store", "minio", {
        health: "warning",
        facts: {},
        detail: "could not be asked: no service",
      }),
      item("pod", "postgres/pg-1", { health: "warning" }),
      item("volume", "", { health: "warning", state: "unknown", detail: "not allowed" }),
    ];
    const finding = (name: string, more: Partial<Diagnosis>): Diagnosis => ({
      object: { kind: "Pod", namespace: "postgres", name },
      cause: "crash",
      what: "the container mlflow ends",
      severity: "error",
      ...more,
    });
    const found = await examine({
      look: () =>
        Promise.resolve([
          finding("pg-0", { release: "pg" }),
          finding("pg-1", { release: "pg" }),
          finding("", { object: { kind: "Job", namespace: "mlflow", name: "mlflow-migrate" }, cause: "job" }),
        ]),
    });
    const status = () => Promise.resolve(items);
    const marked = unexplained(await statusCheck.find({ status } as unknown as Patient), found);
    expect(told(marked).map(([what]) => what)).to.deep.equal([
      "release mlflow/mlflow: missing",
      "tracking mlflow: 0/1 ready",
      "workload Service mlflow in mlflow: gone",
      "? object store minio: 0/1 ready",
      "? volume: unknown",
    ]);
  });

  it("settles a stale lock and pending operations, but not under a run that is at work", async () => {
    const ended = { pid: 7, elsewhere: undefined, since: "noon", alive: false };
    const urn = "urn:pulumi:dev::mlplatform::kubernetes:helm.sh/v3:Release::database-release";
    const problems = await examine({ stack: stack([ended], [urn]) });
    expect(told(problems)).to.deep.equal([
      ["stale lock of stack dev", true, undefined],
      ["pending operations in the state of stack dev", true, undefined],
    ]);
    expect(problems[1]?.detail).to.equal("a run was cut off in the middle of: database-release (Release)");
    await mendAll(problems);
    expect(settled).to.equal(2);

    expect(await examine({ stack: stack([{ ...ended, alive: true }], [urn]) })).to.deep.equal([]);
    const elsewhere = { ...ended, elsewhere: "laptop", alive: undefined };
    expect(told(await examine({ stack: stack([elsewhere], [urn]) }))).to.deep.equal([
      ["lock of stack dev", false, "pulumi cancel --stack dev"],
    ]);
  });

  it("forgets what Helm has not finished, unless somebody may be at work on it", async () => {
    const record = (name: string, status: string) => ({
      metadata: { name: `record-of-${name}`, labels: { owner: "helm", name, status, version: "1" } },
    });
    const all = [record("a", "pending-upgrade"), record("b", "uninstalling"), record("c", "failed")];
    api.answers[secrets] = { items: [...all, record("d", "deployed")] };
    for (const one of all)
      api.answers[
        `${secrets}?labelSelector=owner=helm,name=${one.metadata.labels.name}&fieldSelector=type=helm.sh/release.v1`
      ] = { items: [one] };
    const problems = await examine();
    expect(told(problems)).to.deep.equal([
      ["release a in db: pending-upgrade", true, undefined],
      ["release b in db: uninstalling", true, undefined],
      ["release c in db: failed", false, "npm run up"],
    ]);
    await mendAll(problems);
    expect(api.changes).to.deep.equal([`DELETE ${secrets}/record-of-a`, `DELETE ${secrets}/record-of-b`]);

    const busy = { pid: 7, elsewhere: undefined, since: "noon", alive: true };
    expect(await examine({ stack: stack([busy]) })).to.deep.equal([]);
  });

  it("removes a definition that nobody serves, if no model is lost by that", async () => {
    api.answers[definition] = { metadata: { annotations: {} } };
    const problems = await examine();
    expect(told(problems)).to.deep.equal([["Seldon's definition without its operator", true, undefined]]);
    await mendAll(problems);
    expect(api.changes).to.deep.equal([`DELETE ${definition}`]);

    api.answers[models] = { items: [{ metadata: { name: "m", namespace: "ml-models" }, spec: {} }] };
    expect(told(await examine())).to.deep.equal([["models without Seldon's operator", false, "npm run up"]]);
    api.answers["/apis/apps/v1/deployments"] = { items: [{}] };
    expect(await examine()).to.deep.equal([]);
  });

  it("lets go of models that were removed and wait for an operator that is gone", async () => {
    api.answers[definition] = { metadata: {} };
    const metadata = { name: "m", namespace: "ml-models", finalizers: ["f"], deletionTimestamp: "noon" };
    api.answers[models] = { items: [{ metadata, spec: {} }] };
    const address = "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments/m";
    api.answers[address] = {};
    await mendAll(await examine());
    expect(api.changes).to.deep.equal([`PATCH ${address} {"metadata":{"finalizers":null}}`]);
  });

  it("removes a webhook that leads nowhere, and only that", async () => {
    const hook = (name: string, group: string, service: string) => ({
      metadata: { name },
      webhooks: [
        { rules: [{ apiGroups: [group] }], clientConfig: { service: { name: service, namespace: "s" } } },
      ],
    });
    const seldon = "machinelearning.seldon.io";
    api.answers[webhooks] = {
      items: [hook("orphan", seldon, "gone"), hook("well", seldon, "here"), hook("other", "x", "gone")],
    };
    api.answers["/api/v1/namespaces/s/services/here"] = {};
    const problems = await examine();
    expect(told(problems)).to.deep.equal([["webhook orphan leads nowhere", true, undefined]]);
    await mendAll(problems);
    expect(api.changes).to.deep.equal([`DELETE ${webhooks}/orphan`]);
  });

  it("takes over what the diagnosis holds for hopeless, and deletes a pod that is in the way", async () => {
    const finding = (over: Partial<Diagnosis>): Diagnosis => ({
      object: { kind: "Pod", namespace: "db", name: "pg-0" },
      cause: "stuck",
      what: "it is of a former revision",
      severity: "error",
      ...over,
    });
    const claim = { kind: "PersistentVolumeClaim", namespace: "db", name: "data" };
    const findings = [
      finding({ stuckPod: true }),
      finding({ object: claim, cause: "volume", what: "no class", mend: "Name one." }),
      finding({ cause: "start", severity: "warning" }),
    ];
    const problems = await examine({ look: () => Promise.resolve(findings) });
    expect(problems.map(({ what, mend }) => [what, mend])).to.deep.equal([
      ["Pod pg-0 in db", "delete the pod; its volume stays, and the new revision takes its place"],
      ["PersistentVolumeClaim data in db", "Name one."],
    ]);
    await mendAll(problems);
    expect(api.changes).to.deep.equal(["DELETE /api/v1/namespaces/db/pods/pg-0"]);
  });

  it("mends only what was agreed to, and says what is left", async () => {
    let applied = 0;
    const repair = () => {
      applied += 1;
      return Promise.resolve();
    };
    const of = (what: string, mend: string, more: Partial<Finding> = {}): Finding => ({
      ...{ severity: "error", what, detail: "f", means: "m", mend },
      ...more,
    });
    const found = [
      of("a", "does it", { repair }),
      of("b", "breaks", { repair: () => Promise.reject(new Error("no right to")) }),
      of("c", "by hand: npm run up"),
    ];
    const plain = (options: { yes?: boolean }, some = found, marked: readonly Finding[] = []) =>
      outputOf(async () => {
        const progress = new Progress("plain");
        const code = await treat(some, options, progress, () => Promise.resolve(marked));
        progress.stop();
        return code;
      });
    expect(await plain({})).to.deep.include({ result: 1, err: "" });
    expect(applied).to.equal(0);
    const { out, result } = await plain({ yes: true });
    expect([applied, result]).to.deep.equal([1, 1]);
    expect(out).to.equal(
      [
        "\n✗ a\n  found  f\n  means  m\n  mend   does it\n  ✓ done",
        "\n✗ b\n  found  f\n  means  m\n  mend   breaks\n  ✗ no right to",
        "\n✗ c\n  found  f\n  means  m\n  mend   by hand: npm run up",
        "\n2 of 3 are left.\n",
      ].join("\n"),
    );
    expect((await plain({ yes: true }, found.slice(0, 1))).result).to.equal(0);
    expect(await plain({}, [])).to.deep.equal({ out: "\nNothing is wrong.\n", err: "", result: 0 });
    const warned: Finding = { severity: "warning", what: "tracking", detail: "not asked" };
    expect(await plain({}, [warned])).to.deep.equal({
      out: "\nNothing else is wrong, as far as can be seen.\n",
      err: "Warning: tracking; not asked\n",
      result: 0,
    });
    const left = await plain({ yes: true }, found.slice(0, 1), [of("release mlflow/mlflow: missing", "")]);
    expect([left.out.split("\n").at(-2), left.result]).to.deep.equal([
      "1 mended, and not all is well yet: release mlflow/mlflow: missing. Now: npm run up",
      1,
    ]);
    const json = await outputOf(() =>
      treat([warned, ...found.slice(2)], { json: true }, new Progress("json"), () => Promise.resolve([])),
    );
    expect(
      json.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).to.deep.equal([
      { event: "finding", ...warned, automatic: false },
      { event: "finding", ...found[2], automatic: false, outcome: "left" },
      { event: "doctor", found: 1, mended: 0, marked: [] },
    ]);
  });
});

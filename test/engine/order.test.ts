import { expect } from "chai";

import { chartName } from "../standins/charts";
import type { Entry } from "../standins/timeline";
import type { Lane } from "./support/lane";
import { type Reference, reference } from "./support/reference";

/** A call that has ended. */
type Ended = Entry & { readonly end: number };

describe("order and parallelism", function () {
  this.timeout(120_000);
  let run: Reference;
  let lane: Lane;

  before(async () => {
    run = await reference();
    lane = run.lane;
  });

  const ended = (entries: readonly Entry[], verb: Entry["verb"], label: RegExp): Ended[] => {
    const found = entries.filter((entry) => entry.verb === verb && label.test(entry.label));
    expect(found.length, `${verb} ${label.source}`).to.be.above(0);
    return found.map((entry) => ({ ...entry, end: entry.end ?? Number.POSITIVE_INFINITY }));
  };
  const created = (label: RegExp) => ended(run.timeline, "create", label);
  const installed = (chart: string) => {
    const record = [...run.full.cluster.releases.values()].flat().find((each) => chartName(each) === chart);
    expect(record, chart).to.not.equal(undefined);
    const [entry] = created(new RegExp(`^Release ${record?.namespace ?? ""}/${record?.name ?? ""}$`));
    if (entry === undefined) throw new Error(`no release of ${chart}`);
    return entry;
  };
  const precedes = (first: readonly Ended[], second: readonly Ended[]) => {
    const end = Math.max(...first.map((entry) => entry.end));
    const start = Math.min(...second.map((entry) => entry.start));
    expect(end, `${labels(first)} before ${labels(second)}`).to.be.at.most(start);
  };
  const labels = (entries: readonly Entry[]) => entries.map(({ label }) => label).join(", ");
  const models = /^SeldonDeployment /;
  const training = /^Job .*train/;
  const buckets = /^Job minio-system\//;
  const gate = /^Job seldon-system\//;

  it("installs database, store and operator side by side", () => {
    const entries = ["postgres", "minio", "seldon-core-operator"].map(installed);
    const start = Math.max(...entries.map((entry) => entry.start));
    const end = Math.min(...entries.map((entry) => entry.end));
    expect(start, labels(entries)).to.be.below(end);
  });

  it("installs MLflow when the database and the buckets are there", () => {
    precedes([installed("minio")], created(buckets));
    precedes([installed("postgres"), ...created(buckets)], [installed("mlflow")]);
  });

  it("trains when MLflow is there", () => {
    precedes([installed("mlflow")], created(training));
  });

  it("serves what was decided on when the operator's webhook answers, whatever is trained meanwhile", () => {
    precedes([installed("seldon-core-operator")], created(gate));
    precedes(created(gate), created(models));
    const [begun] = created(training);
    expect(Math.min(...created(models).map(({ start }) => start))).to.be.below(begun?.end ?? 0);
  });

  it("removes custom resources before their operator, and namespaces last", async () => {
    lane.beginFrom(run.full);
    await lane.must("destroy");
    const { entries } = lane.timeline;
    const removed = (label: RegExp) => ended(entries, "delete", label);
    precedes(removed(models), removed(/^Release seldon-system\//));
    for (const { label, end } of entries.map((entry) => ({ ...entry, end: entry.end ?? 0 }))) {
      const namespace = /^\S+ ([^/]+)\//.exec(label)?.[1];
      if (namespace === undefined) continue;
      for (const own of entries.filter((entry) => entry.label === `Namespace ${namespace}`)) {
        expect(end, `${label} before its namespace`).to.be.at.most(own.start);
      }
    }
    expect(lane.cluster.faults).to.deep.equal([]);
  });
});

import { expect } from "chai";

import { timedOut } from "../standins/behaviour";
import { chartName, seldonCrd } from "../standins/charts";
import { expectConverged, heldSecrets } from "./support/converged";
import type { Lane } from "./support/lane";
import { owner } from "./support/owner";
import { type Reference, reference, urnsOf } from "./support/reference";

describe("failures and interruptions, one by one", function () {
  this.timeout(120_000);
  let run: Reference;
  let lane: Lane;

  before(async () => {
    run = await reference();
    lane = run.lane;
  });
  beforeEach(() => {
    lane.beginFrom(run.empty);
  });

  /** `namespace/name` of the chart's release. */
  const release = (chart: string): string => {
    const found = [...run.full.cluster.releases].find(
      ([, [record]]) => record && chartName(record) === chart,
    );
    if (found === undefined) throw new Error(`no release of ${chart}`);
    return found[0];
  };
  const statusOf = (key: string) => lane.cluster.releases.get(key)?.at(-1)?.status;
  const again = async () => {
    const held = heldSecrets(lane.cluster);
    await lane.must("up");
    expectConverged(lane, run, held);
  };

  const destroy = async () => {
    await lane.must("destroy");
    const left = lane.cluster.inventory().filter((line) => line !== `CustomResourceDefinition ${seldonCrd}`);
    expect(left).to.deep.equal([]);
    expect(lane.cluster.faults).to.deep.equal([]);
  };
  /** Kills the engine when the cluster has done this, and before the engine hears of it. */
  const cutOffAfter = async (action: "up" | "destroy", label: string) => {
    lane.timeline.listener = (entry, moment) => {
      if (entry.label === label && moment === "ended") killEngine(lane);
    };
    expect((await lane.run(action)).ok).to.equal(false);
    lane.timeline.listener = undefined;
  };

  for (const [what, message] of [
    ["fails", "pod mlflow-0 is in a crash loop"],
    ["times out", timedOut],
  ] as const) {
    it(`a release that ${what} is kept, and mended by the next up`, async () => {
      const mlflow = release("mlflow");
      lane.cluster.behaviour.add({ on: new RegExp(`^install Release ${mlflow}`), fail: message, times: 1 });
      const failed = await lane.run("up");
      expect(failed.ok).to.equal(false);
      expect(failed.text).to.include(
        `Helm release "${mlflow}" was created, but failed to initialize completely`,
      );
      expect(failed.text).to.include(message);
      expect(statusOf(mlflow)).to.equal("failed");
      await again();
      expect(lane.cluster.releases.get(mlflow)?.at(-1)?.revision, "mended in place").to.equal(2);
    });
  }

  it("a release that has failed is mended by the next up also where the comparison has forgotten that", async () => {
    const mlflow = release("mlflow");
    lane.cluster.behaviour.add({
      on: new RegExp(`^install Release ${mlflow}`),
      fail: "no webhook",
      times: 1,
    });
    expect((await lane.run("up")).ok).to.equal(false);
    await lane.must("up", { refresh: true });
    expect(statusOf(mlflow), "unchanged, to the engine").to.equal("failed");
    expect((await lane.must("recover")).text).to.include(`"failed":["${mlflow}"]`);
    await again();
    expect(statusOf(mlflow)).to.equal("deployed");
    expect((await lane.must("recover")).text).to.include('"compared":false');
  });

  it("a release whose installation was cut off blocks, until recovery has forgotten it", async () => {
    const postgres = release("postgres");
    lane.cluster.behaviour.add({ on: new RegExp(`^install Release ${postgres}`), latency: 2_000, times: 1 });
    lane.timeline.listener = async ({ label }, moment) => {
      if (label !== `Release ${postgres}` || moment !== "began") return;
      setTimeout(() => void lane.providers.kill(), 100);
      await Promise.resolve();
    };
    expect((await lane.run("up")).ok).to.equal(false);
    lane.timeline.listener = undefined;
    expect(statusOf(postgres)).to.equal("pending-install");
    const blocked = await lane.run("up");
    expect(blocked.text).to.include("cannot re-use a name that is still in use");
    // On a busy machine another one may be under way, too.
    const [, forgotten = ""] = /"forgotten":(\[.*?\])/.exec((await lane.must("recover")).text) ?? [];
    expect(JSON.parse(forgotten)).to.include(postgres);
    await again();
  });

  it("a release that the engine never heard of is taken into the state", async () => {
    const postgres = release("postgres");
    await cutOffAfter("up", `Release ${postgres}`);
    expect(statusOf(postgres)).to.equal("deployed");
    const { text } = await lane.must("recover");
    expect(text)
      .to.include('"staleLock":true')
      .and.match(/"adopted":\["/);
    await again();
  });

  it("a release that the engine never heard of is removed by destroy, too", async () => {
    await cutOffAfter("up", `Release ${release("seldon-core-operator")}`);
    expect(statusOf(release("seldon-core-operator"))).to.equal("deployed");
    expect((await lane.must("recover", { next: "destroy" })).text).to.match(/"adopted":\["/);
    await destroy();
  });

  it("a release that somebody has removed stands in no destroy's way, since Helm would not find it", async () => {
    lane.beginFrom(run.full);
    const [namespace = "", name = ""] = release("mlflow").split("/");
    lane.cluster.forget(namespace, name, "all");
    await lane.must("recover", { next: "destroy" });
    await destroy();
  });

  it("a training that fails is tried again by the next up", async () => {
    lane.cluster.behaviour.add({ on: /^ready Job .*train/, fail: "BackoffLimitExceeded", times: 1 });
    const failed = await lane.run("up");
    expect(failed.ok).to.equal(false);
    expect(failed.text).to.include("BackoffLimitExceeded");
    await again();
  });

  it("a call that fails for a moment leaves nothing half done", async () => {
    lane.cluster.behaviour.add({
      on: /^create Secret /,
      at: "call",
      fail: "etcdserver: leader changed",
      times: 1,
    });
    expect((await lane.run("up")).ok).to.equal(false);
    await again();
  });

  for (const next of ["destroy", "up"] as const) {
    it(`after a destroy that was cut off, ${next} finishes`, async () => {
      lane.beginFrom(run.full);
      await cutOffAfter("destroy", `Release ${release("mlflow")}`);
      await lane.must("recover", { next });
      if (next === "destroy") await destroy();
      else await again();
    });
  }

  for (const victim of ["engine", "providers"] as const)
    it(`a training that has taken another's place unheard, since the ${victim} ended, is taken into the state`, async () => {
      lane.beginFrom(run.full);
      const trainings = () => lane.cluster.inventory().filter((line) => /^Job .*-train-/.test(line));
      const [before] = trainings();
      lane.retrain();
      lane.timeline.listener = async ({ label, verb }, moment) => {
        if (!/^Job .*-train-/.test(label) || verb !== "create" || moment !== "ended") return;
        if (victim === "engine") killEngine(lane);
        else await lane.providers.kill();
      };
      expect((await lane.run("up")).ok).to.equal(false);
      lane.timeline.listener = undefined;
      expect(trainings()).to.have.length(2);
      expect((await lane.must("recover")).text).to.match(
        /"adopted":\["[^"]*Job::house-price-training-job"\]/,
      );
      await lane.must("up");
      expect(trainings()).to.have.length(1).and.not.include(before);
      expect(urnsOf(lane.storedState())).to.deep.equal(run.urns);
    });

  it("a namespace that nobody wrote down is this stack's by its mark, and another one's stays refused", async () => {
    const { cluster } = lane;
    for (const [name, mark] of [
      ["mlflow", owner],
      ["postgres", "of another stack"],
    ] as const) {
      const metadata = {
        ...{ name, annotations: { "mlplatform/owner": mark } },
        labels: { "app.kubernetes.io/part-of": "mlplatform" },
      };
      const manifest = { apiVersion: "v1", kind: "Namespace", metadata };
      await cluster.create({ apiVersion: "v1", kind: "Namespace", namespace: "", name, manifest }, "other");
    }
    // The engine ends with the first of them.
    expect((await lane.run("up")).text).to.match(/namespaces "(mlflow|postgres)" already exists/);
    expect((await lane.must("recover")).text).to.match(/"adopted":\["[^"]*::mlplatform-namespaces-mlflow"\]/);
    const { ok, text } = await lane.run("up");
    expect(ok).to.equal(false);
    expect(text).to.contain('namespaces "postgres" already exists').and.not.contain('"mlflow" already');
  });

  it("a later change of what a cut-off run has created meets no stranger's claim", async () => {
    await cutOffAfter("up", "Namespace mlflow");
    await lane.must("recover");
    await again();
    const claimed = [...lane.cluster.objects.values()].filter(({ managers }) => managers.size > 1);
    expect(claimed.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal([]);
  });

  it("refuses a second up at once, with a clear message", async () => {
    let goOn: () => void = () => undefined;
    const hold = new Promise<void>((resolve) => (goOn = resolve));
    lane.cluster.behaviour.add({ on: new RegExp(`^install Release ${release("postgres")}`), hold, times: 1 });
    const began = new Promise<void>((resolve) => {
      lane.timeline.listener = ({ verb, label }) => {
        if (verb === "create" && label.startsWith("Release ")) resolve();
      };
    });
    const first = lane.run("up");
    await began;
    const pid = lane.enginePid();
    let second = await lane.run("up");
    // The first may be writing its state at this very moment.
    while (second.text.includes("failed to load checkpoint")) second = await lane.run("up");
    const third = await lane.run("recover");
    goOn();
    expect(second.ok).to.equal(false);
    expect(second.text).to.include("the stack is currently locked by 1 lock(s)");
    expect(third.error).to.match(
      new RegExp(
        `^another run is changing stack dev: process ${String(pid)}, started by .* Wait until it has ended`,
      ),
    );
    expect((await first).ok, (await first).text).to.equal(true);
    expectConverged(lane, run, new Map());
  });
});

/** Ends the engine without a moment's notice. */
function killEngine(lane: Lane): void {
  const pid = lane.enginePid();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
}

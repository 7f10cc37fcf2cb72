import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { expectConverged, heldSecrets } from "./support/converged";
import { Lane } from "./support/lane";
import { type Random, randomFrom } from "./support/random";
import { type Reference, reference } from "./support/reference";
import { setting } from "./support/setting";

/** To repeat a run, or one round of it: `ENGINE_SEED=… ENGINE_ROUND=…`; `ENGINE_ROUNDS` is how many there are. */
const seed = Number(process.env["ENGINE_SEED"] ?? Math.floor(Math.random() * 1e9));
const only = process.env["ENGINE_ROUND"];
const count = Number(process.env["ENGINE_ROUNDS"] ?? 8);
const rounds = only === undefined ? Array.from({ length: count }, (_, round) => round) : [Number(only)];

const victims = ["engine", "program", "providers", "all"] as const;

/** A training is made, another one removed, and its model changed. */
const replacementCalls = 3;

/** What is killed, and when. */
interface Plan {
  readonly action: "up" | "retrain" | "destroy";
  readonly victim: (typeof victims)[number];
  /** At how many starts and ends of calls. */
  readonly after: number;
  /** Milliseconds after that. */
  readonly delay: number;
}

function planOf(round: number, run: Reference): Plan {
  const random = randomFrom(seed + round);
  const pick = <T>(list: readonly T[], by: Random) => list[Math.floor(by() * list.length)] as T;
  const action = pick(["up", "up", "retrain", "retrain", "destroy"] as const, random);
  return {
    action,
    victim: pick(victims, random),
    after: 1 + Math.floor(random() * (action === "retrain" ? replacementCalls : run.timeline.length) * 2),
    delay: Math.floor(random() * 40),
  };
}

async function kill(lane: Lane, victim: Plan["victim"]): Promise<void> {
  const engine = lane.enginePid();
  if (engine !== undefined && (victim === "engine" || victim === "all")) {
    try {
      process.kill(engine, "SIGKILL");
    } catch {
      // It has ended by itself at this very moment.
    }
  }
  if (victim === "providers" || victim === "all") await lane.providers.kill();
  if (victim === "program" || victim === "all") await lane.program.kill();
}

/** Runs until the kill, recovers, and runs again. */
async function interrupt(lane: Lane, plan: Plan, run: Reference, retrained: Reference): Promise<void> {
  lane.beginFrom(plan.action === "up" ? run.empty : run.full);
  if (plan.action === "retrain") lane.retrain();
  lane.cluster.behaviour.add({
    on: /^(install|upgrade|uninstall|ready Job|ready SeldonDeployment)\b/,
    latency: 30,
  });
  let killed: Promise<void> | undefined;
  let left = plan.after;
  lane.timeline.listener = () => {
    left -= 1;
    if (left === 0) killed = sleep(plan.delay).then(() => kill(lane, plan.victim));
  };
  await lane.run(plan.action === "destroy" ? "destroy" : "up");
  await killed;
  lane.timeline.listener = undefined;
  const held = heldSecrets(lane.cluster);
  await lane.must("recover", { patience: 60 });
  await lane.must("up");
  const end = plan.action === "retrain" ? retrained : run;
  expectConverged(lane, end, plan.action === "destroy" ? new Map() : held);
}

describe("kills at random moments", function () {
  this.timeout(600_000);
  const results = new Map<number, Promise<void>>();
  const lanes: Lane[] = [];

  before(async () => {
    console.log(`    ENGINE_SEED=${seed}`);
    const [run, shared] = await Promise.all([reference(), setting()]);
    run.lane.beginFrom(run.full);
    run.lane.retrain();
    await run.lane.must("up");
    const retrained = { ...run, inventory: run.lane.cluster.inventory() };
    const queue = rounds.map((round) => {
      const { promise, resolve, reject } = deferred();
      promise.catch(() => undefined);
      results.set(round, promise);
      return { plan: planOf(round, run), resolve, reject };
    });
    for (let count = Math.min(2, availableParallelism()); count > 0; count -= 1) {
      const lane = new Lane(shared);
      lanes.push(lane);
      void (async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const { plan, resolve, reject } = next;
          await interrupt(lane, plan, run, retrained).then(resolve, (error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error);
            console.log(`    ${JSON.stringify(plan)}\n${reason}`);
            reject(new Error(`${JSON.stringify(plan)}: ${reason}`, { cause: error }));
          });
        }
      })();
    }
  });
  after(async () => {
    await Promise.all(lanes.map((lane) => lane.dispose()));
  });

  for (const round of rounds) {
    it(`finishes what round ${round} has cut off`, async () => {
      const result = results.get(round);
      expect(result).to.not.equal(undefined);
      await result;
    });
  }
});

function deferred() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone;
    reject = onError;
  });
  return { promise, resolve, reject };
}

import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { type Random, randomFrom } from "../engine/support/random";
import { type Finished, TestPlatform, modelUp } from "./support/platform";

/** To repeat a run, or one round of it: `LOCAL_SEED=… LOCAL_ROUND=…`; `LOCAL_ROUNDS` is how many there are. */
const seed = Number(process.env["LOCAL_SEED"] ?? Math.floor(Math.random() * 1e9));
const only = process.env["LOCAL_ROUND"];
const count = Number(process.env["LOCAL_ROUNDS"] ?? 3);
const rounds = only === undefined ? Array.from({ length: count }, (_, round) => round) : [Number(only)];

const up = ["up", "--detach", "--json", "--no-frontend"];
/** So many times as long as a whole `up` an installation may take. */
const installing = 3;

describe("npm run up on this machine, killed at random moments", function () {
  this.timeout(400_000);
  let whole: Finished;
  let milliseconds: number;

  before(async () => {
    console.log(`    LOCAL_SEED=${seed}`);
    const platform = new TestPlatform();
    const began = Date.now();
    whole = await platform.run(up);
    milliseconds = Date.now() - began;
    await platform.dispose();
  });

  /** Kills it at a random moment, or all that it has started with it, as when the machine stops. */
  async function kill(platform: TestPlatform, random: Random, most: number): Promise<string> {
    const [delay, all] = [Math.floor(random() * most), random() < 0.4];
    const command = platform.start(up);
    await Promise.race([sleep(delay), command.finished()]);
    const theirs = platform.started();
    command.child.kill("SIGKILL");
    for (const pid of all ? theirs : [])
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself at this very moment.
      }
    await command.finished();
    return `${all ? "all" : "the program"} after ${delay} ms`;
  }

  for (const round of rounds)
    it(`finishes what round ${round} has cut off`, async () => {
      const random = randomFrom(seed + round);
      const shareEnvironments = round % 5 !== 4;
      const platform = new TestPlatform({ shareEnvironments });
      const most = milliseconds * (shareEnvironments ? 1 : installing);
      const killed: string[] = [];
      try {
        do killed.push(await kill(platform, random, most));
        while (random() < 0.3);
        const { code, events, stderr } = await platform.run(up);
        expect(code, stderr).to.equal(0);
        expect(modelUp(events).prediction.value).to.equal(modelUp(whole.events).prediction.value);
        expect(Object.keys(platform.services())).to.have.members(["mlflow", "front", "house-price"]);
        const down = await platform.run(["down"]);
        expect([down.code, platform.processes()], down.stderr).to.deep.equal([0, []]);
      } catch (error) {
        console.log(`    round ${round}: ${killed.join(", then ")}`);
        throw error;
      } finally {
        await platform.dispose();
      }
    });
});

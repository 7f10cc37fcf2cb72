import { expect } from "chai";
import { rmSync, writeFileSync } from "node:fs";

import { Interrupted, UserError } from "../../../cli/errors";
import { promoteIn } from "../../../cli/registry/promotion/promoting";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { FakeWorld } from "./support/fakeWorld";

describe("while a promotion is at work", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let world: FakeWorld;

  beforeEach(async () => {
    world = await FakeWorld.challenged();
    world.hold(5);
  });
  afterEach(() => world.close());

  const promote = async (word: string, change: Parameters<FakeWorld["options"]>[0] = {}) =>
    outputOf(async () => promoteIn(await world.scene(), word, world.options(change)));
  const refusal = async (...how: Parameters<typeof promote>) => (await rejection(promote(...how))).message;
  /** Promotes version 4, and after its first deployment something else happens. */
  const refusalWith = (then: () => unknown) => {
    let first = true;
    const { deploy } = world.options();
    return refusal("4", {
      deploy: async (consent) => {
        await deploy(consent);
        if (first) await then();
        first = false;
      },
    });
  };
  /** Promotes version 5 whole, as another command does, when the first change of a name is about to be made. */
  const overtakenAt = (moment: string) => {
    let open = true;
    world.onChange = async (what) => {
      if (!open || what !== moment) return;
      open = false;
      await promoteIn(await world.scene(), "5", world.options());
    };
  };
  /** Does something when version 4 has been asked, and before its answer is there. */
  const onAnswer = (then: () => unknown) => {
    const { answers } = world.fake;
    const address = Object.keys(answers).find((one) => one.endsWith("/predictions")) ?? "";
    const usual = answers[address] as () => unknown;
    answers[address] = async () => {
      answers[address] = usual;
      const answer = usual();
      await then();
      return answer;
    };
  };
  const byOther = /models\.dev\.lock\.yaml names version 5, decided on by \S+ at 20\S+Z/;
  const five = { lock: 5, served: "5" };
  const conflict = () => {
    writeFileSync(world.what.file, "<<<<<<< HEAD\nmodels:\n");
  };

  describe("another one overtakes it", () => {
    it("before the registry is told: the alias is left", async () => {
      onAnswer(async () => promoteIn(await world.scene(), "5", world.options()));
      const message = await refusal("4");
      expect(message)
        .to.match(/^version 4 of churn was overtaken: /)
        .and.match(byOther);
      expect(message).to.match(/, and version 5 serves\.[^]*npm run promote -- churn 4$/);
      expect(world.state()).to.deep.include({ ...five, aliases: { champion: "5", challenger: "4" } });
    });

    it("while the alias is moved: it says that, and what sets it right", async () => {
      overtakenAt("before POST alias champion");
      const message = await refusal("4");
      expect(message).to.match(byOther);
      expect(message).to.match(/champion was moved to version 4[^]*npm run promote -- churn 5$/);
      world.onChange = () => undefined;
      await promote("5");
      expect(world.state()).to.deep.include({ ...five, aliases: { champion: "5" } });
    });

    it("from another folder, whose lock is another: what serves tells", async () => {
      onAnswer(() => (world.served = world.filesOf(5)));
      const message = await refusal("4");
      expect(message).to.match(
        /overtaken: \S+ names version 4, decided on by \S+ at \S+, and version 5 serves\./,
      );
      expect(world.state()).to.deep.include({ served: "5", aliases: { champion: "3", challenger: "4" } });
    });

    it("before it deploys: nothing is claimed of lock and service", async () => {
      const deploy = async () => {
        await promoteIn(await world.scene(), "5", world.options());
        throw new UserError("late");
      };
      const message = await refusal("4", { deploy });
      expect(message).to.match(/^version 4 of churn is not in service: late\n {2}Nothing of version 4 /);
      expect(message).to.match(byOther).and.include("version 5 serves").and.not.include("as it was");
      expect(world.state()).to.deep.include(five);
    });

    it("before it is stopped: the same", async () => {
      const controller = new AbortController();
      const deploy = () => {
        world.decide(5);
        controller.abort(new Interrupted("SIGINT"));
        return Promise.reject(new Interrupted("SIGINT"));
      };
      const message = await refusal("4", { deploy, signal: controller.signal });
      expect(message).to.match(/^stopped by SIGINT\. Nothing of version 4 is deployed/);
      expect(message).to.match(/names version 5, decided on by/);
    });

    it("in the lock alone: what goes back is what that says", async () => {
      world.wrong.set("4", 7);
      const message = await refusalWith(() => {
        world.decide(5);
      });
      expect(message).to.match(/answered 7[^]*names version 5, decided on by/);
      expect(message)
        .to.match(/was deployed[^]*npm run promote -- churn 5$/)
        .and.not.include("Back in");
      expect(world.state()).to.deep.include(five);
    });

    it("in the lock with the same version: that stays", async () => {
      world.wrong.set("4", 7);
      const message = await refusalWith(() => {
        world.decide(4);
      });
      expect(message).to.match(/names version 4, decided on by[^]*To go back: npm run promote -- churn 3$/);
      expect(world.state()).to.deep.include({ lock: 4, served: "4" });
    });
  });

  describe("its lock cannot be read any more", () => {
    it("it says why the version failed, that it may serve, and how to go back", async () => {
      world.wrong.set("4", 7);
      const message = await refusalWith(conflict);
      expect(message).to.match(/^version 4 of churn is not in service: [^]*answered 7/);
      expect(message).to.match(
        /lock\.yaml cannot be read[^]*version 4 may serve[^]*npm run promote -- churn 3$/i,
      );
      rmSync(world.what.file);
      await promote("3");
      expect(world.state()).to.deep.include({ lock: 3, served: "3" });
    });

    it("it says why, where nothing was deployed", async () => {
      const deploy = () => {
        conflict();
        return Promise.reject(new UserError("no room"));
      };
      const message = await refusal("4", { deploy });
      expect(message).to.match(/: no room\n {2}Nothing of version 4 is deployed\.[^]*cannot be read/);
      rmSync(world.what.file);
    });
  });

  describe("its lock is removed", () => {
    const remove = () => {
      rmSync(world.what.file);
    };

    it("it is written again, and the registry is told", async () => {
      const { deploy } = world.options();
      const { out } = await promote("4", {
        deploy: async (consent) => {
          await deploy(consent);
          remove();
        },
      });
      expect(out).to.match(/"event":"warning","message":"[^"]*named no version of churn any more/);
      expect(world.state()).to.deep.include({ lock: 4, served: "4", aliases: { champion: "4" } });
      expect(world.state().tags[4]).to.include({ "serves.dev": "since" });
    });

    it("and it goes back to what was before, where the version fails", async () => {
      world.wrong.set("4", 7);
      expect(await refusalWith(remove)).to.include("Back in service: version 3.");
      expect(world.state()).to.deep.include({ lock: 3, served: "3" });
    });
  });
});

import { expect } from "chai";

import { Interrupted } from "../../../cli/errors";
import { type Pace, Progress, type Step } from "../../../cli/progress";
import { outputOf } from "../support/output";

describe("the progress", () => {
  /** Steps of a plain display with a clock that the test moves: `at(7)` is seven seconds after the start. */
  const plain = async (scene: (step: Step, at: (seconds: number) => void) => void, pace?: Pace) => {
    const { setInterval: timers, Date: clock } = { setInterval: globalThis.setInterval, Date: Date.now };
    let tick: () => void = () => undefined;
    globalThis.setInterval = ((work: () => void) => {
      tick = work;
      return timers(() => undefined, 1e6);
    }) as typeof setInterval;
    const start = clock();
    let now = start;
    Date.now = () => now;
    try {
      const { out, err } = await outputOf(async () => {
        const progress = new Progress("plain", pace);
        await progress.step("MLflow", (step) => {
          scene(step, (seconds) => {
            now = start + seconds * 1000;
            tick();
          });
          return Promise.resolve();
        });
        progress.stop();
      });
      expect(err).to.equal("");
      return out
        .trimEnd()
        .split("\n")
        .map((line) => line.replaceAll(/ {2,}/g, " "));
    } finally {
      Date.now = clock;
      globalThis.setInterval = timers;
    }
  };

  it("mentions a step that takes long, and again when there is news, but not more often than every 5 s", async () => {
    const lines = await plain((step, at) => {
      step.detail("creating");
      at(1);
      at(5);
      step.detail("pulling");
      at(7);
      at(9.5);
      at(10);
      at(11);
      step.detail("pulling");
      at(20);
      at(24.5);
      at(25);
      step.detail("crashing");
      at(29.5);
      at(30);
    });
    expect(lines).to.deep.equal([
      "… MLflow 5.0 s creating",
      "… MLflow 10.0 s pulling",
      "… MLflow 25.0 s pulling",
      "… MLflow 30.0 s crashing",
      "✓ MLflow 30.0 s crashing",
    ]);
  });

  it("mentions a step as rarely as it is told to, however much there is to say", async () => {
    const lines = await plain(
      (step, at) => {
        for (let second = 1; second <= 125; second += 1) {
          step.detail(`package ${second}`);
          at(second);
        }
      },
      { newsMilliseconds: 60_000, reminderMilliseconds: 60_000 },
    );
    expect(lines).to.deep.equal([
      "… MLflow 2.0 s package 2",
      "… MLflow 62.0 s package 62",
      "… MLflow 122.0 s package 122",
      "✓ MLflow 125.0 s package 125",
    ]);
  });

  it("mentions no step that is done soon, and one that says nothing as under way", async () => {
    expect(
      await plain((step, at) => {
        step.detail("creating");
        at(1.9);
      }),
    ).to.deep.equal(["✓ MLflow 1.9 s creating"]);
    expect(
      await plain((_, at) => {
        at(14);
        at(15);
        at(16);
      }),
    ).to.deep.equal(["… MLflow 14.0 s under way", "✓ MLflow 16.0 s"]);
  });

  it("warns people on standard error, and programs by an event", async () => {
    const warn = (mode: "plain" | "json") =>
      outputOf(() => {
        const progress = new Progress(mode);
        progress.warn("the disk is full");
        progress.stop();
        return Promise.resolve();
      });
    expect(await warn("plain")).to.deep.include({ out: "", err: "Warning: the disk is full\n" });
    expect(await warn("json")).to.deep.include({
      out: '{"event":"warning","message":"the disk is full"}\n',
      err: "",
    });
  });

  it("marks the first failure, and what an interruption has ended as stopped", async () => {
    const states = async (...errors: readonly Error[]) => {
      const { out } = await outputOf(async () => {
        const progress = new Progress("json");
        for (const error of errors)
          await progress.step(error.message, () => Promise.reject(error)).catch(() => undefined);
      });
      return out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { state: string; detail?: string })
        .flatMap(({ state, detail }) => (state === "running" ? [] : [`${state}: ${detail ?? ""}`]));
    };
    expect(await states(new Error("first\nwith more"), new Error("second"))).to.deep.equal([
      "failed: first",
      "stopped: stopped",
    ]);
    expect(await states(new Interrupted("SIGINT"))).to.deep.equal(["stopped: stopped"]);
  });
});

import { stripVTControlCharacters } from "node:util";

import { expect } from "chai";

import { Steps } from "../../e2e/steps";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";

const lines = (text: string) => text.trimEnd().split("\n");
const failure = new Error("no answer\nfrom the model");
const fail = () => Promise.reject(failure);

describe("end to end: the steps", () => {
  it("are told as they run, with what was seen", async () => {
    const steps = new Steps(false);
    const { out } = await outputOf(() =>
      steps.run("preview", () => Promise.resolve("31 resources, no changes")),
    );
    expect(lines(out)).to.deep.equal(["", "── preview ──", "✓ preview, 0.0 s: 31 resources, no changes"]);
    expect(steps.ok).to.equal(true);
  });

  it("tell a failure with all of its message, and pass it on", async () => {
    const steps = new Steps(false);
    const { out, result } = await outputOf(() => rejection(steps.run("preview", fail)));
    expect(result).to.equal(failure);
    expect(lines(out)).to.deep.equal(["", "── preview ──", "✗ preview, 0.0 s: no answer", "from the model"]);
    expect(steps.ok).to.equal(false);
  });

  it("take their time", async () => {
    const steps = new Steps(false);
    await outputOf(() => steps.run("wait", () => new Promise((resolve) => setTimeout(resolve, 60, "done"))));
    expect(steps.results[0]?.seconds).to.be.within(0.05, 5);
  });

  it("are one JSON object on a line, and nothing else, where JSON is wanted", async () => {
    const steps = new Steps(true);
    const { out } = await outputOf(async () => {
      steps.say("for people");
      await steps.run("up", () => Promise.resolve("up"));
      await rejection(steps.run("preview", fail));
    });
    const [up, preview, ...more] = lines(out).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect({ ...up, seconds: 0 }).to.deep.equal({
      ...{ event: "e2e-step", step: "up", seconds: 0, ok: true, result: "up" },
    });
    expect({ ...preview, seconds: 0 }).to.deep.equal({
      ...{ event: "e2e-step", step: "preview", seconds: 0, ok: false, result: "no answer\nfrom the model" },
    });
    expect(more).to.deep.equal([]);
  });

  it("write no JSON for people", async () => {
    const steps = new Steps(false);
    const { out } = await outputOf(() => {
      steps.event({ event: "up" });
      return Promise.resolve();
    });
    expect(out).to.equal("");
  });

  it("end as a table, with the first line of each failure", () => {
    const steps = new Steps(false);
    steps.results.push(
      { step: "up from empty", seconds: 81.26, ok: true, result: "house-price answers" },
      { step: "preview", seconds: 3, ok: false, result: "changes\nwhere there are none" },
    );
    expect(lines(stripVTControlCharacters(steps.table()))).to.deep.equal([
      "┌───────────────┬─────────┬─────────────────────┐",
      "│ step          │ seconds │              result │",
      "├───────────────┼─────────┼─────────────────────┤",
      "│ up from empty │    81.3 │ house-price answers │",
      "├───────────────┼─────────┼─────────────────────┤",
      "│ preview       │     3.0 │     FAILED: changes │",
      "└───────────────┴─────────┴─────────────────────┘",
    ]);
    expect(steps.ok).to.equal(false);
  });
});

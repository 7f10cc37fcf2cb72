import { expect } from "chai";

import { nextRuns, schedule } from "../../../components/batch/schedule";

const taken = (text: string) => schedule.safeParse(text).success;

describe("a schedule", () => {
  for (const text of ["* * * * *", "*/15 6-20 * JAN-dec MON,FRI", "0 2 1-31/2 */3 1-5", " 5,10  0 * * sun "])
    it(`may be ${text}`, () => {
      expect(taken(text)).to.equal(true);
    });

  for (const text of [
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 07",
    "*/0 * * * *",
    "5-1 * * * *",
  ])
    it(`may not be ${text}`, () => {
      expect(taken(text)).to.equal(false);
    });

  for (const text of [
    "0 2 * * SAT-SUN",
    "1/5 * * * *",
    "? * * * *",
    "0 0 * * 1#2",
    "0\ufeff2 * * *",
    "0 0 31 4,6 *",
    "-5 * * * *",
  ])
    it(`may not be ${text}, which others read otherwise or never`, () => {
      expect(taken(text)).to.equal(false);
    });

  it("begins when Kubernetes does, where a step of one or a name is read otherwise elsewhere", () => {
    const after = new Date("2026-11-30T12:00:00Z");
    const days = (pattern: string) =>
      nextRuns(pattern, 3, after).map((time) => time.toISOString().slice(0, 10));
    expect(days("0 2 */1 * 1")).to.deep.equal(["2026-12-07", "2026-12-14", "2026-12-21"]);
    expect(days("0 2 * * sun-sun")).to.deep.equal(["2026-12-06", "2026-12-13", "2026-12-20"]);
    expect(days("0 2 5 * 1")).to.deep.equal(["2026-12-05", "2026-12-07", "2026-12-14"]);
  });
});

import { expect } from "chai";

import { mayMeet } from "../../../components/batch/addresses";

describe("files for the scores of two tables", () => {
  for (const [one, other, meet] of [
    ["x.csv", "x.csv", true],
    ["x.csv", "y.csv", false],
    ["x-{version}.csv", "x-3.csv", true],
    ["x-{version}.csv", "x-.csv", false],
    ["x-{version}.csv", "x-3a.csv", false],
    ["x-{version}.csv", "x-{version}.parquet", false],
    ["x-{date}.csv", "x-2026-11-{version}.csv", true],
    ["x-{date}.csv", "x-{version}.csv", false],
    ["{version}2.csv", "3{version}.csv", true],
    ["{version}{version}.csv", "7.csv", false],
    ["{time}.csv", "{date}T0300Z.csv", true],
    ["{time}.csv", "{date}.csv", false],
    ["a/{date}.csv", "b/{date}.csv", false],
    ["{day}.csv", "{date}.csv", false],
  ] as const)
    it(`${one} and ${other} ${meet ? "may be one" : "never are"}`, () => {
      expect(mayMeet(one, other)).to.equal(meet);
      expect(mayMeet(other, one)).to.equal(meet);
    });
});

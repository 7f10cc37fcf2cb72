import { expect } from "chai";

import { type Interval, criticalPath } from "../../../bench/criticalPath";

const interval = (step: string, began: number, ended: number): Interval => ({ step, began, ended });
const step = (name: string, seconds: number) => ({ step: name, seconds });

describe("the critical path", () => {
  it("of nothing is empty", () => {
    expect(criticalPath([])).to.deep.equal([]);
  });

  it("of steps one after the other is all of them, in their order, whatever the order they are told in", () => {
    const steps = [interval("second", 10, 30), interval("third", 30, 35), interval("first", 0, 10)];
    expect(criticalPath(steps)).to.deep.equal([step("first", 10), step("second", 20), step("third", 5)]);
  });

  it("leaves out what runs beside a longer step", () => {
    const steps = [
      interval("namespaces", 0, 2),
      interval("Postgres", 2, 40),
      interval("MinIO", 2, 20),
      interval("MLflow", 40, 60),
      interval("Seldon", 2, 50),
    ];
    expect(criticalPath(steps)).to.deep.equal([
      step("namespaces", 2),
      step("Postgres", 38),
      step("MLflow", 20),
    ]);
  });

  it("counts what lies between two steps, and before the first, to the later one", () => {
    expect(criticalPath([interval("a", 3, 10), interval("b", 14, 20)])).to.deep.equal([
      step("a", 10),
      step("b", 10),
    ]);
  });

  it("adds up to the end of the run", () => {
    const steps = [
      interval("a", 1, 7.5),
      interval("b", 7.25, 9),
      interval("c", 2, 8),
      interval("d", 9.5, 31),
    ];
    const path = criticalPath(steps);
    expect(path.map((each) => each.step)).to.deep.equal(["c", "b", "d"]);
    expect(path.reduce((sum, { seconds }) => sum + seconds, 0)).to.equal(31);
  });

  it("takes a step for the cause of one that seems to begin up to a second before its end", () => {
    const later = interval("later", 10, 20);
    expect(criticalPath([interval("cause", 0, 11), later])).to.deep.equal([
      step("cause", 11),
      step("later", 9),
    ]);
    expect(criticalPath([interval("beside", 0, 11.5), later])).to.deep.equal([step("later", 20)]);
  });
});

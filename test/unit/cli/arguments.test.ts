import { expect } from "chai";

import { count, duration, port } from "../../../cli/arguments";

describe("the values of options", () => {
  it("are durations in seconds, minutes, hours and days", () => {
    expect(["90s", "10m", "2h", "1d", "0s"].map(duration)).to.deep.equal([90, 600, 7_200, 86_400, 0]);
    for (const text of ["10", "m", "-1s", "1.5h", "1w", ""])
      expect(() => duration(text), text).to.throw("A duration is such as 90s, 10m, 2h or 1d.");
  });

  it("are numbers from 1 on", () => {
    expect(["1", "20"].map(count)).to.deep.equal([1, 20]);
    for (const text of ["0", "-1", "1.5", "a", ""])
      expect(() => count(text), text).to.throw("It is a whole number from 1 on.");
  });

  it("are ports", () => {
    expect(["1", "65535"].map(port)).to.deep.equal([1, 65_535]);
    for (const text of ["0", "65536", "80.5", "http"])
      expect(() => port(text), text).to.throw("A port is 1 to 65535.");
  });
});

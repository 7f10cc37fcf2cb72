import { expect } from "chai";

import { bytes, cpu, memory, millicores, storageSize } from "../../../config/fields";
import { quantity } from "../../../config/quantity";

describe("Kubernetes' quantities", () => {
  for (const [written, value] of [
    ...([
      ["0", 0],
      ["2", 2],
      ["+2", 2],
      ["-1", -1],
      ["0.5", 0.5],
      [".5", 0.5],
      ["2.", 2],
    ] as const),
    ...([
      ["1500m", 1.5],
      ["5u", 5e-6],
      ["5n", 5e-9],
      ["1k", 1e3],
      ["500M", 5e8],
      ["1.5G", 1.5e9],
    ] as const),
    ...([
      ["1T", 1e12],
      ["1P", 1e15],
      ["2E", 2e18],
    ] as const),
    ...([
      ["1Ki", 1024],
      ["2Mi", 2 ** 21],
      ["1.5Gi", 1.5 * 2 ** 30],
      ["1Ti", 2 ** 40],
    ] as const),
    ...([
      ["1Pi", 2 ** 50],
      ["1Ei", 2 ** 60],
    ] as const),
    ...([
      ["1e9", 1e9],
      ["1E9", 1e9],
      ["1.5e-3", 1.5e-3],
      ["1e+3", 1e3],
    ] as const),
  ])
    it(`takes ${written}`, () => {
      expect(quantity(written)).to.be.closeTo(value, Math.abs(value) * 1e-12);
    });

  for (const written of [
    "",
    "Gi",
    "1K",
    "1gi",
    "1MB",
    "1 Gi",
    "1mi",
    "1e",
    "1e9M",
    "1,5Gi",
    "0x10",
    "1.2.3",
    "Infinity",
    "NaN",
  ])
    it(`does not take "${written}"`, () => {
      expect(quantity(written)).to.equal(undefined);
    });

  it("are taken where an amount is asked for, unless nothing would be left of them", () => {
    const taken = (field: typeof cpu, ...all: string[]) => all.filter((one) => field.safeParse(one).success);
    expect(taken(memory, "1Ti", "1.5Gi", "500M", "1e9", "512m", "0Gi", "-1Gi")).to.have.members([
      ...["1Ti", "1.5Gi", "500M", "1e9"],
    ]);
    expect(taken(cpu, "0.5", "1500m", "2", "1k", "0", "0.0001", "-1")).to.have.members([
      ...["0.5", "1500m", "2", "1k"],
    ]);
    expect(taken(storageSize, "1Pi", "0.5Ti", "20G", "10GB", "0")).to.have.members(["1Pi", "0.5Ti", "20G"]);
    expect([
      bytes("1.5Gi"),
      bytes("500M"),
      millicores("0.5"),
      millicores("1500m"),
      millicores("0.29"),
    ]).to.deep.equal([...[1.5 * 2 ** 30, 5e8, 500, 1500, 290]]);
  });
});

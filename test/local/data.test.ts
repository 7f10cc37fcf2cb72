import { writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { houses } from "./support/houses";
import { type Finished, TestPlatform, detailOf, modelUp } from "./support/platform";

describe("npm run up, on other data", function () {
  this.timeout(180_000);
  const platform = new TestPlatform();
  after(() => platform.dispose());

  async function up(data?: string): Promise<Finished & { version: string; training: string }> {
    const file = path.join(platform.home, "data.csv");
    if (data !== undefined) writeFileSync(file, data);
    const done = await platform.run([
      "up",
      "--once",
      "--json",
      ...(data === undefined ? [] : ["--data", file]),
    ]);
    expect(done.code, done.stderr).to.equal(0);
    const { version } = modelUp(done.events);
    return { ...done, version, training: String(detailOf(done.events, "training house-price")) };
  }

  it("refuses what nothing can be learned from, and registers nothing", async () => {
    const [header = "", row = ""] = houses().split("\n");
    const file = path.join(platform.home, "equal.csv");
    writeFileSync(file, [header, ...Array<string>(8).fill(row)].join("\n"));
    const { code, stderr } = await platform.run(["up", "--once", "--data", file]);
    expect(code).to.equal(1);
    expect(stderr).to.contain("8 rows, of which 1 differ, leave 0 to train on");
    expect(stderr).to.contain("price is 160000 in every row: there is nothing to predict");
    expect((await up()).version).to.equal("1");
  });

  it("serves what is best on the data that are asked for, and says which version that is", async () => {
    const other = await up(houses());
    expect(other.version).to.equal("2");
    expect(other.training).to.match(
      /^version 2 is champion, .*version 1 \(trained on other data, sample\), reaches/,
    );

    const back = await up();
    expect(back.version).to.equal("1");
    expect(back.training).to.match(
      /^code and data unchanged since version 1, which is champion again: .*version 2/,
    );

    const unchanged = await up();
    expect([unchanged.version, unchanged.training]).to.deep.equal([
      "1",
      "code and data unchanged since version 1",
    ]);
  });
});

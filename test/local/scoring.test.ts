import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { houses } from "./support/houses";
import { TestPlatform, modelUp } from "./support/platform";

describe("npm run score", function () {
  this.timeout(180_000);
  const platform = new TestPlatform();
  const input = path.join(platform.home, "houses.csv");
  const output = path.join(platform.home, "prices.csv");
  const score = (...args: string[]) => platform.run(["score", "house-price", ...args]);
  after(() => platform.dispose());

  it("is refused for a model that does not run here, or that is none, with the way out", async () => {
    const [stopped, unknown] = await Promise.all([
      score("--input", input, "--output", output),
      platform.run(["score", "house-prise", "--input", input, "--output", output]),
    ]);
    expect(stopped.code).to.equal(1);
    expect(stopped.stderr).to.contain("npm run up -- --models house-price --detach");
    expect(unknown.stderr).to.contain("house-prise does not run on this machine; did you mean house-price?");
    const inBucket = await score("--input", "s3://datasets/houses.csv", "--output", output);
    expect(inBucket.stderr).to.contain(
      "s3://datasets/houses.csv is no file of this machine. Tables in a bucket",
    );
    const { stderr } = await platform.run(["score", "nope", "--input", input, "--output", output]);
    expect(stderr).to.contain("nope does not run on this machine. The project has ");
  });

  it("writes the answers of the version in service, as its server gives them, and which rows have none", async () => {
    const { events } = await platform.run(["up", "--detach", "--json", "--no-frontend"]);
    const { version, prediction } = modelUp(events);
    const [header = "", ...rows] = houses().trimEnd().split("\n");
    // The row that up has asked its server for.
    const asked = "3,1.5,1340,1340,7,1,0,5650,0,98178,0";
    writeFileSync(input, [header, "x,1,1,1,1,1,1,1,1,1,1", ...rows, asked].join("\n"));
    const { code, stdout, stderr } = await score("--input", input, "--output", output, "--json");
    expect(code, stderr).to.equal(0);
    const told = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.at(-1)).to.deep.include({ event: "scored", output, unused_columns: ["price"] });
    const manifest = JSON.parse(readFileSync(`${output}.manifest.json`, "utf8")) as Record<string, object>;
    expect(manifest["model"]).to.include({ name: "house-price", version });
    expect(manifest["scored"]).to.include({ rows: rows.length + 1 });
    expect(readFileSync(`${output}.rejected.jsonl`, "utf8")).to.contain('"line": 2');
    const scored = readFileSync(output, "utf8").trimEnd().split("\n");
    expect(scored).to.have.length(rows.length + 2);
    expect(scored.at(-1)).to.equal(`${rows.length + 3},${prediction.value}`);
  });

  it("is done once it is done, and leaves alone what is there of something else", async () => {
    const before = readFileSync(output);
    expect((await score("--input", input, "--output", output)).stdout).to.contain("1 row rejected");
    writeFileSync(input, readFileSync(input, "utf8").split("\n").slice(0, 5).join("\n"));
    const { code, stderr } = await score("--input", input, "--output", output);
    expect(code).to.equal(1);
    expect(stderr).to.contain(
      "is there already, of something else: name another file for the scores, or remove it",
    );
    expect(readFileSync(output)).to.deep.equal(before);
  });
});

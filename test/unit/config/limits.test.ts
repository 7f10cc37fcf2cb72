import { cpuUsage } from "node:process";

import { expect } from "chai";

import { policyResources } from "../../../cli/plan/policy";
import { findings } from "../../../policy/rules";
import program from "../../../index";
import { record } from "../support/recorder";
import { run, stackConfig } from "./support";

describe("a stack of many models", function () {
  this.timeout(60_000);
  const models = (count: number, fields: string) =>
    stackConfig(
      [
        "mlplatform:context: minikube",
        'mlplatform:modelQuota: { cpu: "10000", memory: 10000Gi, pods: 10000 }',
        "mlplatform:models:",
        ...Array.from({ length: count }, (_, index) => `  - { name: m${index}, ${fields} }`),
      ].join("\n"),
    );
  const right = "image: house-price-serve, training: { image: house-price-train }";
  const wrong = "image: x, replicas: many, nme: x";

  it("is refused by one sentence, whatever is wrong with each of them", async () => {
    for (const fields of [right, wrong])
      expect((await run(models(1001, fields))).error)
        .to.have.property("message")
        .that.equals(
          "Pulumi.dev.yaml has 1 problem; nothing was changed:\n" +
            "  mlplatform:models has 1001 entries, and the most is 1000: give others a stack of their own.",
        );
  });

  it("has no more mistakes told than anybody reads", async () => {
    const { error } = await run(models(1000, wrong));
    const lines = (error as Error).message.split("\n");
    expect(lines[0]).to.equal("Pulumi.dev.yaml has 3000 problems; nothing was changed:");
    expect(lines).to.have.length(102);
    expect(lines.at(-1)).to.equal("  and 2900 more.");
  });

  // Time that others take does not count. Were it the square, it would be nine times as long.
  it("takes as long as they are many", async () => {
    const seconds = async (count: number) => {
      const config = models(count, right);
      const before = cpuUsage();
      const recording = await record(() => program("assume all"), config.config, {
        ...config,
        preview: true,
      });
      expect(findings(policyResources(recording), "dev")).to.deep.equal([]);
      const { user, system } = cpuUsage(before);
      return (user + system) / 1e6;
    };
    await seconds(50);
    const [some, many] = [await seconds(100), await seconds(300)];
    expect(many).to.be.lessThan(some * 6);
  });
});

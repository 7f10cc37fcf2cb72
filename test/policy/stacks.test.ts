import { expect } from "chai";

import { planOf } from "../../cli/plan/plan";
import { stackNames } from "../../cli/plan/stackFiles";

describe("the policy rules and every stack of the project", () => {
  it("know of dev, staging and prod", () => {
    expect(stackNames()).to.include.members(["dev", "staging", "prod"]);
  });

  for (const stack of stackNames()) {
    it(`find nothing in ${stack}`, async () => {
      const { findings, recording } = await planOf(stack);
      // A plan of nothing would pass too.
      expect(recording.resources.length).to.be.greaterThan(30);
      expect(findings.map(({ rule, resource, what }) => `${rule} ${resource}: ${what}`)).to.deep.equal([]);
    });
  }
});

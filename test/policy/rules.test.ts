import { expect } from "chai";

import { findings, rules } from "../../policy/rules";
import { cases } from "./cases";

for (const rule of rules) {
  describe(`policy rule ${rule.name}`, () => {
    const own = cases.filter((one) => one.rule === rule.name);

    // A rule that nothing has ever violated may not work at all.
    it("has a case that violates it and one that passes", () => {
      expect(own.filter(({ messages }) => messages.length > 0)).to.not.have.length(0);
      expect(own.filter(({ messages }) => messages.length === 0)).to.not.have.length(0);
    });

    it("says in one sentence what it demands", () => {
      expect(rule.description).to.match(/^[A-Z].*\.$/);
    });

    for (const { name, resources, environment, messages } of own) {
      it(`${messages.length > 0 ? "finds" : "passes"}: ${name}`, () => {
        const found = findings(resources, environment ?? "dev", [rule]);
        expect(found.map(({ what }) => what)).to.deep.equal(messages);
      });
    }
  });
}

describe("policy cases", () => {
  it("are all of rules that exist", () => {
    const names = rules.map(({ name }) => name);
    expect(cases.map(({ rule }) => rule).filter((rule) => !names.includes(rule))).to.deep.equal([]);
  });
});

import { expect } from "chai";

import { code, codeCell, fence } from "../../../cli/markdown";
import { comment, reviewMark } from "../../../cli/review/comment";
import type { StackReview } from "../../../cli/review/review";
import { markdownReport } from "../../../cli/status/report";
import type { ClusterTarget } from "../../../cli/target";

const untouched: StackReview = {
  ...{
    stack: "prod",
    fate: "kept",
    differences: "",
    promotions: [],
    violations: [],
    renewed: [],
    outdated: false,
  },
  counts: { added: 0, removed: 0, changed: 0 },
};
const changed = (stack: string, lines: number): StackReview => ({
  ...untouched,
  stack,
  counts: { added: 0, removed: 0, changed: 1 },
  differences: ["~ some thing", ...Array.from({ length: lines }, (_, n) => `    ~ a.b${n}  1 → 2`)].join(
    "\n",
  ),
});

describe("the comment of a review", () => {
  it("renders nothing of what stands in a change", () => {
    const wrong = "a`b``c|d @ann\n# <img src=x>";
    expect(code("plain")).to.equal("`plain`");
    expect(code(wrong)).to.equal("``` a`b``c|d @ann # <img src=x> ```");
    expect(codeCell("a|b")).to.equal("`a\\|b`");
    expect(fence("```\n# x")).to.equal("````text\n```\n# x\n````");
    const text = comment([{ ...untouched, stack: wrong, problem: "```\n@ann" }], "0".repeat(40));
    for (const line of text.replace(/^````[^]*?^````$/gm, "").split("\n"))
      expect(line).not.to.match(/^[^`]*(<img|@ann)/);
    expect(text).to.contain("````text\n```\n@ann\n````");
  });

  it("colours what has changed as GitHub does", () => {
    expect(comment([changed("prod", 1)], "0".repeat(40))).to.contain("! some thing\n!     a.b0  1 → 2\n");
  });

  it("stays within what GitHub takes, and says what it leaves out and where that is", () => {
    const one = comment([changed("prod", 500)], "0".repeat(40));
    expect(one).to.contain("301 more lines: `npm run preview -- --stack prod --diff`");
    const long = { ...changed("a", 0), problem: "x".repeat(30_000) };
    const many = comment(
      Array.from({ length: 5 }, (_, n) => ({ ...long, stack: `s${n}` })),
      "0".repeat(40),
    );
    expect(many.length).to.be.below(65_536);
    expect(many)
      .to.match(/^<!-- mlplatform: review -->\n/)
      .and.contain("4 more stacks have no room here");
    expect(many.startsWith(reviewMark)).to.equal(true);
  });
});

describe("the issue of a cluster that is not what it should be", () => {
  it("has what is not well, and what to do", () => {
    const target = { context: { name: "production" }, stack: "prod" } as ClusterTarget;
    const text = markdownReport(target, [
      { part: "model", name: "a", health: "well", state: "1/1", detail: "" },
      { part: "model", name: "b|c", health: "ill", state: "gone", detail: "deleted", mend: "npm run up" },
    ]);
    expect(text).to.contain("Stack `prod`, context `production`:");
    expect(text.split("\n").filter((line) => line.startsWith("| ❌"))).to.deep.equal([
      "| ❌ | `model` | `b\\|c` | `gone` | `deleted` | `npm run up` |",
    ]);
  });
});

import { writeFileSync } from "node:fs";

import { type MochaOptions, type Runner, reporters } from "mocha";

/**
 * Mocha's own `spec` output; and as JSON, in the file that the option `report` names, the counts and the
 * titles of what failed.
 */
export = class Reporter extends reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    const { report } = options.reporterOptions as { report: string };
    const failures: string[] = [];
    runner.on("fail", (test) => failures.push(test.fullTitle()));
    runner.once("end", () => {
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      writeFileSync(report, JSON.stringify({ passed, failed, skipped, failures }));
    });
  }
};

import { readFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";

import { loadConfig } from "../../../config";
import { record } from "../support/recorder";

/** Values that stand for mistakes of every kind. The names are those of every object's own members. */
const odd: readonly unknown[] = [
  ...[
    null,
    "",
    " ",
    0,
    -1,
    1.5,
    1e30,
    true,
    "text",
    "é",
    "a\nb",
    "x".repeat(300),
    "{",
    "[1",
    "s3://",
    "http://",
  ],
  ...["__proto__", "constructor", [], {}, [null], [[]], ["text"], { kind: "other" }, { constructor: 1 }],
];

let turn = 0;

/** What a value becomes when one value in it, or the whole, is another: two of the odd ones in turn, for each place. */
function* variants(value: unknown): Generator {
  for (let count = 0; count < 2; count++) yield odd[turn++ % odd.length];
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
    for (const other of variants(item))
      yield Array.isArray(value) ? (value as unknown[]).with(Number(key), other) : { ...value, [key]: other };
    if (!Array.isArray(value)) {
      const others = Object.entries(value).filter(([other]) => other !== key);
      yield Object.fromEntries(others);
      yield Object.fromEntries([...others, [`${key}x`, item]]);
    }
  }
}

function asEngineGivesIt(written: unknown): Record<string, string> {
  const entries = Object.entries(written as Record<string, unknown>).map(([key, value]) => {
    if (value === null) return [key, ""];
    return [key, typeof value === "string" ? value : JSON.stringify(value)];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

/** What the program says of a configuration; undefined if nothing. */
function said(config: Record<string, string>): string | undefined {
  pulumi.runtime.setAllConfig(config, ["mlplatform:database", "mlplatform:objectStore"]);
  try {
    loadConfig();
    return undefined;
  } catch (error) {
    if (error instanceof pulumi.RunError) return error.message;
    throw new Error(`Not an answer to ${JSON.stringify(config)}`, { cause: error });
  }
}

describe("a stack file with one value replaced by an odd one", function () {
  // Each key brings variants, and each variant is read as a whole file.
  this.timeout(120_000);
  for (const name of ["inside", "outside"])
    it(`${name}: is answered in sentences about its own keys, or taken`, async () => {
      const whole: unknown = parse(readFileSync(path.join(__dirname, "good", `${name}.yaml`), "utf8"));
      const answers: string[] = [];
      await record(() => {
        for (const variant of variants(whole)) {
          if (typeof variant !== "object" || variant === null || Array.isArray(variant)) continue;
          answers.push(said(asEngineGivesIt(variant)) ?? "");
        }
      }, {});
      expect(answers.length).to.be.greaterThan(100);
      const sentence =
        /^ {2}mlplatform:\S.* (is|are|has|have|must|needs|makes|begins|stands|share|hold) .*[.?]$/;
      // The words of zod, and of values that were written into a sentence by accident.
      const accident = /invalid|expected|too (big|small)|undefined|\[object|NaN/i;
      const [first, ...lines] = [
        ...new Set(
          answers
            .filter((answer) => answer !== "")
            .join("\n")
            .split("\n"),
        ),
      ];
      expect(first).to.match(/^Pulumi\.test\.yaml has \d+ problems?; nothing was changed:$/);
      for (const line of lines.filter((one) => !one.startsWith("Pulumi."))) {
        expect(line).to.match(sentence);
        expect(line).not.to.match(accident);
      }
    });
});

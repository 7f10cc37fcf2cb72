import { readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { mlAppDir } from "../../../cli/paths";
import { TableFileError, readCells, withPoints } from "../../../cli/tableFile";

interface Case {
  readonly what: string;
  readonly text?: string;
  readonly hex?: string;
  readonly names?: string[];
  readonly rows?: number[][];
  readonly refused?: string;
  /** Why it is refused here alone. */
  readonly cli?: string;
}

const cases = JSON.parse(readFileSync(path.join(mlAppDir, "tests", "table_files.json"), "utf8")) as Case[];

describe("a file of a table, as a training reads it", () => {
  for (const { what, text, hex, names, rows, refused, cli = refused } of cases) {
    it(`${cli === undefined ? "reads" : "refuses"} ${what}`, () => {
      const read = () =>
        withPoints(readCells(hex === undefined ? Buffer.from(text ?? "") : Buffer.from(hex, "hex")));
      if (cli !== undefined) {
        // What the library itself says of a quote is in its own words.
        expect(read)
          .to.throw(TableFileError)
          .with.property("message")
          .that.satisfies((told: string) => told.startsWith(cli));
        return;
      }
      const found = read();
      expect(found.names).to.deep.equal(names);
      expect(found.rows.map(({ cells }) => cells.map(Number))).to.deep.equal(rows);
    });
  }
});

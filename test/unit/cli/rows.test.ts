import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { readCsv, rowsFromCsv, rowsFromWords } from "../../../cli/rows";

describe("rows from words", () => {
  const read: [string, string[], unknown][] = [
    ["a row", ["[1, 2.5]"], { ndarray: [[1, 2.5]] }],
    ["a row that the shell has split", ["[1,", "2.5]"], { ndarray: [[1, 2.5]] }],
    [
      "several rows",
      ["[[1, 2], [3, 4]]"],
      {
        ndarray: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      "keys and texts like one another",
      ['{"a": "a", "b": "a: 1, a: 2"}'],
      { names: ["a", "b"], ndarray: [["a", "a: 1, a: 2"]] },
    ],
    ["an object", ['{"a": 1, "b": 2}'], { names: ["a", "b"], ndarray: [[1, 2]] }],
    [
      "objects in another order",
      ['[{"a": 1, "b": 2}, {"b": 4, "a": 3}]'],
      {
        names: ["a", "b"],
        ndarray: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      "texts, truths, and what is missing",
      ["city=Łódź 1", "vip=true", "income="],
      { names: ["city", "vip", "income"], ndarray: [["Łódź 1", true, null]] },
    ],
    [
      "whole numbers of any size, as they are typed",
      ['{"a": 9007199254740993, "b": "9007199254740993", "c": -18446744073709551616}'],
      { names: ["a", "b", "c"], ndarray: [[9007199254740993n, "9007199254740993", -18446744073709551616n]] },
    ],
    [
      "named whole numbers of any size",
      ["a=9007199254740993", "b=+9007199254740993", "c=007"],
      { names: ["a", "b", "c"], ndarray: [[9007199254740993n, 9007199254740993n, 7]] },
    ],
    [
      "decimal numbers alone as numbers",
      ["a=0x10", "b=0b11", "c=0o7", "d=.5", "e=+5.", "f=1E3", "g=1e999"],
      {
        names: ["a", "b", "c", "d", "e", "f", "g"],
        ndarray: [["0x10", "0b11", "0o7", 0.5, 5, 1000, "1e999"]],
      },
    ],
    ["named features", ["a=1", "b=-2.5e3"], { names: ["a", "b"], ndarray: [[1, -2500]] }],
  ];
  for (const [name, words, rows] of read) {
    it(`reads ${name}`, () => {
      expect(rowsFromWords(words)).to.deep.equal(rows);
    });
  }

  const refused: [string, string[], string][] = [
    ["JSON that is none", ["[1, 2"], "the row is not JSON"],
    ["a word without a name", ["a=1", "b"], '"b" is neither JSON nor name=value'],
    [
      "the name of a model",
      ["house-price", "a=3"],
      "bathrooms=1.5 … Which model is asked says --model NAME.",
    ],
    ["a name twice", ["a=3", "b=1", "a=4"], 'the row: the name "a" is there twice'],
    ["a name twice with the same number", ["a=3", "a=3"], 'the name "a" is there twice'],
    ["a key twice", ['{"a": 3, "b": 1, "a": 4}'], 'the row: the name "a" is there twice'],
    [
      "a key twice, once escaped",
      [String.raw`[{"b": 1}, {"a": 3, "\u0061": 4}]`],
      'the name "a" is there twice',
    ],
    ["a key twice, deep in a row", ['[[{"c": {"b:": 1, "b:": 1}}]]'], 'the name "b:" is there twice'],
    ["objects with different names", ['[{"a": 1}, {"b": 1}]'], "row 1 names other features than row 0 (a)"],
  ];
  for (const [name, words, message] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => rowsFromWords(words)).to.throw(UserError, message);
    });
  }
});

describe("rows from a CSV file", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-rows-"));
  const file = (content: string) => {
    const name = path.join(folder, "rows.csv");
    writeFileSync(name, content);
    return name;
  };
  const read = (content: string, known?: string[]) => rowsFromCsv(readCsv(file(content)), known);

  it("reads names and numbers, quoted or not", () => {
    expect(read('a,b\n1,"2"\n\n3,4.5\n').rows).to.deep.equal({
      names: ["a", "b"],
      ndarray: [
        [1, 2],
        [3, 4.5],
      ],
    });
  });

  it("reads texts, truths, and cells that are empty", () => {
    expect(read("city,vip,income\nRome,false,\n").rows.ndarray).to.deep.equal([["Rome", false, null]]);
  });

  it("reads whole numbers of any size as they are written", () => {
    expect(read("a\n9007199254740993\n").rows.ndarray).to.deep.equal([[9007199254740993n]]);
  });

  it("leaves out what the model does not take, and says so", () => {
    const { rows, note } = read("id;a;b\n1,000;2,5;3\n", ["b", "a"]);
    expect(rows).to.deep.equal({ names: ["a", "b"], ndarray: [[2.5, 3]] });
    expect(note).to.match(/rows\.csv: the model does not take id: left out\.$/);
    expect(read("a,b\n1,2\n", ["b", "a"])).not.to.have.property("note");
  });

  it("names what is missing beside what is unknown, and before the width of a row", () => {
    expect(read("A,b\n1,2\n", ["a", "b"]).note).to.match(/does not take A: left out\. It also takes a\.$/);
    expect(() => read("A,b\n1,2,3\n", ["a", "b"])).to.throw(
      UserError,
      "line 2: 3 cells, and the first line has 2. For its names: the model does not take A",
    );
  });

  it("tells a column without a name by its place", () => {
    expect(read("a,b,\n1,2,3\n", ["a", "b"]).note).to.match(
      /does not take column 3, which has no name: left out/,
    );
  });

  it("leaves nothing out where the model knows none of the names", () => {
    expect(read("a,b\n1,2\n", ["input-0"]).rows.names).to.deep.equal(["a", "b"]);
  });

  const refused: [string, string, string][] = [
    ["an empty file", "", "rows.csv is empty: its first line must name the columns"],
    ["a file with names only", "a,b\n", "has no rows"],
    ["a column twice", "a,b,a\n1,2,3\n", 'rows.csv, line 1: the name "a" is there twice'],
    ["a column twice, with blanks and quotes", 'a, "a" \n1,2\n', 'line 1: the name "a" is there twice'],
    ["a column twice without rows", "a,a\n", 'line 1: the name "a" is there twice'],
    ["columns without names", "a,,\n1,2,3\n", "line 1: columns 2 and 3 have no name; give each one"],
    ["a line that is too long", "a,b\n1,2,3\n", "rows.csv, line 2: 3 cells, and the first line has 2"],
    ["another kind of file", "PAR1\x15", "rows.csv is a Parquet file: write it as CSV"],
  ];
  for (const [name, content, message] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => read(content)).to.throw(UserError, message);
    });
  }

  it("names a file that is not there", () => {
    expect(() => readCsv("/nowhere.csv")).to.throw(UserError, "/nowhere.csv cannot be read");
  });
});

/**
 * Files of tables, read as `ml-app/modelkit/tablefile.py` reads them, which says more; `ml-app/tests/table_files.json` holds
 * both to the same.
 */
import { gunzipSync } from "node:zlib";

import { parse } from "csv-parse/sync";

import { messageOf } from "./errors";

/** Why a file is no table that can be read for certain; the message goes on after its name: "is empty: …". */
export class TableFileError extends Error {}

/** What a file holds, as text. */
export interface Cells {
  readonly names: readonly string[];
  /** The rows below the names, each with the number of its line. */
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
  /** What stands between cells. */
  readonly separator: string;
}

const spreadsheet = "save its sheet as CSV";
const asCsv = "write it as CSV, such as by to_csv(…, index=False) of pandas";
/** How files of other kinds begin, what they are, and what to do about it. */
const kinds: readonly (readonly [string, string, string])[] = [
  ["PAR1", "a Parquet file", asCsv],
  ["ARROW1\0", "an Arrow or Feather file", asCsv],
  ["ORC", "an ORC file", asCsv],
  ["\x89HDF", "an HDF5 file", asCsv],
  ["\x93NUMPY", "an array of NumPy's", asCsv],
  ["SQLite format 3\0", "a database of SQLite's", "write the table as CSV"],
  ["\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", spreadsheet],
  ["%PDF-", "a PDF", "give the table itself, as CSV"],
  ["BZh", "packed by bzip2", "unpack it"],
  ["\xfd7zXZ", "packed by xz", "unpack it"],
  ["\x28\xb5\x2f\xfd", "packed by Zstandard", "unpack it"],
  ["7z\xbc\xaf", "packed by 7-Zip", "unpack it"],
  ["Rar!\x1a", "packed by RAR", "unpack it"],
  ["version https://git-lfs", "a pointer of Git LFS", "fetch the file that it stands for: git lfs pull"],
];
/** What a mark of letters alone may be as well: the beginning of a column's name, which bytes like these never follow. */
const letters = /^[A-Z0-9]+$/i;
const noText = /[\0-\x08\x0e-\x1f]/;
const page = /^\s*<(!--|(!doctype|html|table|\?xml)[\s>])/i;
const firstCharacters = 65_536;
const separators = [",", ";", "\t", "|"];

const withComma = /^[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?$/;
const withPoint = /^[+-]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
/** What may be a number of thousands as well as one with a fraction of three digits. */
const thousands = /^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$/;

/** Reads a file. @throws TableFileError it is something else, or damaged. */
export function readCells(content: Buffer): Cells {
  const text = textOf(unpacked(content));
  const said = /^"?sep=(.)"?\r?\n/.exec(text); // Excel's way to tell
  const separator = said?.[1] ?? separatorOf(text);
  let records: { readonly info: { readonly lines: number }; readonly record: string[] }[];
  try {
    records = parse(text, {
      delimiter: separator,
      info: true,
      // Else the end of the first line counts as that of all.
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as typeof records;
  } catch (error) {
    throw new TableFileError(`is not a CSV file: ${messageOf(error)}`);
  }
  const [first, ...rows] = records.slice(said === null ? 0 : 1);
  if (first === undefined) throw new TableFileError("is empty: its first line must name the columns");
  return {
    names: first.record,
    rows: rows.map(({ info, record }) => ({ line: info.lines, cells: record })),
    separator,
  };
}

/**
 * The same with points in place of decimal commas.
 *
 * @throws TableFileError whether a comma or a point stands before fractions or between thousands cannot be known.
 */
export function withPoints(cells: Cells): Cells {
  const found = cells.rows.flatMap(({ line, cells: row }) => row.map((cell) => ({ line, cell })));
  const commas = found.filter(({ cell }) => withComma.test(cell));
  const points = found.filter(({ cell }) => withPoint.test(cell));
  const [comma, point] = [commas[0], points[0]];
  const told = ({ line, cell }: { line: number; cell: string }) => `line ${line} '${cell}'`;
  if (comma !== undefined && point !== undefined)
    throw new TableFileError(
      `has numbers with a comma (${told(comma)}) and numbers with a point (${told(point)}): ` +
        "write all of them with a decimal point, and thousands without separators",
    );
  // Where commas stand between cells, points are decimal points.
  const doubtful = comma !== undefined ? commas : cells.separator === "," ? [] : points;
  const [one] = doubtful;
  if (one !== undefined && doubtful.every(({ cell }) => thousands.test(cell)))
    throw new TableFileError(
      `has ${told(one)}, which may be ${one.cell.replace(/[.,]/, "")} or ${Number(one.cell.replace(",", "."))}: ` +
        "write thousands without separators, and fractions with a decimal point and commas between the cells",
    );
  if (comma === undefined) return cells;
  const pointed = (cell: string) => (withComma.test(cell) ? cell.replace(",", ".") : cell);
  return { ...cells, rows: cells.rows.map(({ line, cells: row }) => ({ line, cells: row.map(pointed) })) };
}

function unpacked(content: Buffer): Buffer {
  const begin = content.subarray(0, 4096).toString("latin1");
  const kind = kinds.find(
    ([known]) => begin.startsWith(known) && (!letters.test(known) || noText.test(begin)),
  );
  if (kind !== undefined) throw new TableFileError(`is ${kind[1]}: ${kind[2]}`);
  if (/^PK(\x03\x04|\x05\x06)/.test(begin)) {
    const names = content.toString("latin1");
    if (names.includes("[Content_Types].xml"))
      throw new TableFileError(`is an Excel workbook (.xlsx) or another document of Office: ${spreadsheet}`);
    if (names.includes("mimetypeapplication/vnd.oasis") || /^.{26}\x08\0.{2}mimetype/s.test(names))
      throw new TableFileError(`is an OpenDocument file: ${spreadsheet}`);
    throw new TableFileError("is a zip archive: unpack it, and give the file that is in it");
  }
  if (!begin.startsWith("\x1f\x8b")) return content;
  try {
    return gunzipSync(content);
  } catch (error) {
    throw new TableFileError(`is packed by gzip and cannot be unpacked: ${messageOf(error)}`);
  }
}

function textOf(content: Buffer): string {
  const [first, second, ...next] = content.subarray(0, 4);
  const wide =
    (first === 0xff && second === 0xfe && !(next[0] === 0 && next[1] === 0)) ||
    (first === 0xfe && second === 0xff);
  const coding = wide ? (first === 0xff ? "UTF-16LE" : "UTF-16BE") : "UTF-8";
  let text: string;
  try {
    text = new TextDecoder(coding, { fatal: true }).decode(content);
  } catch {
    throw new TableFileError(`is not a text in ${coding.slice(0, wide ? 6 : 5)}: save it as CSV in UTF-8`);
  }
  text = text.replace(/^\ufeff+/, "");
  const begin = text.slice(0, firstCharacters);
  if (text.includes("\0"))
    throw new TableFileError(
      "holds zero bytes, as a text in UTF-16 or UTF-32 without its mark: save it as CSV in UTF-8",
    );
  if (page.test(begin)) throw new TableFileError("is a page in HTML or XML: give the table itself, as CSV");
  if (/^\s*(\{\s*"|\[\s*[[{])/.test(begin)) throw new TableFileError("is JSON: write it as CSV");
  return text;
}

/** What the first line that is not blank has most of, outside of quotes. */
function separatorOf(text: string): string {
  const begin = text.slice(0, firstCharacters).replace(/^([ \t]*[\r\n])+/, "");
  const [first = ""] = begin.replaceAll(/"[^"]*"/g, "").split(/[\r\n]/, 1);
  const count = (separator: string) => first.split(separator).length;
  return separators.reduce((best, one) => (count(one) > count(best) ? one : best));
}

import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { exactJson, parsedExactly } from "../../../cli/exactJson";

describe("JSON with whole numbers of any size", () => {
  for (const text of [
    '{"a":[9007199254740993,-9007199254740993,18446744073709551615]}',
    '["9007199254740993",{"9007199254740993":"\\"9007199254740993"}]',
    "[1,1.5,-0.25,9007199254740991,null,true]",
    "9007199254740993",
  ]) {
    it(`keeps ${text}`, () => {
      expect(exactJson(parsedExactly(text))).to.equal(text);
    });
  }

  it("leaves numbers with a fraction or an exponent to doubles", () => {
    expect(parsedExactly("[9007199254740993.0, 9007199254740993e2, 1E3]")).to.deep.equal([
      9007199254740992, 900719925474099300, 1000,
    ]);
  });

  it("refuses what is no JSON, and what JSON would make null", () => {
    expect(() => parsedExactly("[9007199254740993,]")).to.throw(SyntaxError);
    expect(() => exactJson(parsedExactly("[1e999]"))).to.throw(UserError, "too large");
  });
});

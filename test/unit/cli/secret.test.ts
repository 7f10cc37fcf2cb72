import { Readable } from "node:stream";

import { expect } from "chai";

import { secret, secretPlaces } from "../../../cli/commands/secret";
import { readSecret } from "../../../cli/secretInput";
import { rejection } from "../support/rejection";

describe("the command for secrets", () => {
  it("knows what takes a secret", () => {
    const user = (name: string) => `objectStore.users.${name}.secretAccessKey`;
    expect(secretPlaces()).to.deep.equal([
      "database.password",
      ...["batch", "serving", "tracking", "training"].map(user),
    ]);
  });

  for (const [key, stack, message] of [
    [
      "database.pasword",
      "dev",
      "database.pasword is no secret of the configuration; did you mean database.password?",
    ],
    ["database", "dev", "database is no secret of the configuration"],
    ["mlplatform:database.password", "nowhere", 'there is no stack "nowhere"'],
  ] as const)
    it(`refuses ${key} of ${stack} before it asks`, async () => {
      expect((await rejection(secret(key, { stack }))).message).to.include(message);
    });

  const handed = (...parts: (string | Buffer)[]) =>
    readSecret("it", Readable.from(parts.map((part) => Buffer.from(part))));

  it("takes what is handed on, without the line's end", async () => {
    for (const given of ["p ä", "p ä\n", "p ä\r\n"]) expect(await handed(given)).to.equal("p ä");
    const [first, second] = [Buffer.from("ä").subarray(0, 1), Buffer.from("ä").subarray(1)];
    expect(await handed(first, second), "a letter in two parts").to.equal("ä");
  });

  for (const [given, problem] of [
    ["", "is empty"],
    ["a\nb", "has more than one line"],
    ["x".repeat(4_097), "has more than 4096 characters"],
    ["x".repeat(1_000_000), "has more than 4096 characters"],
    [Buffer.from("p\xe9", "latin1"), "is no text in UTF-8"],
  ] as const)
    it(`refuses one that ${problem} (${given.length} bytes)`, async () => {
      expect((await rejection(handed(given))).message).to.match(
        new RegExp(`^the secret ${problem}.*nothing was changed`),
      );
    });
});

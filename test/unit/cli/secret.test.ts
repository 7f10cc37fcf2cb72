import { expect } from "chai";

import { secret, secretPlaces } from "../../../cli/commands/secret";
import { rejection } from "../support/rejection";

describe("the command for secrets", () => {
  it("knows what takes a secret", () => {
    const user = (name: string) => `objectStore.users.${name}.secretAccessKey`;
    expect(secretPlaces()).to.deep.equal([
      "database.password",
      ...["serving", "tracking", "training"].map(user),
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
});

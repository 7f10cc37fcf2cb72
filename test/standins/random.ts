import { randomInt } from "node:crypto";

import type { Provider } from "./provider";
import { type Values, asText, changedKeys, plainValues, secret, unknown } from "./values";

const letters = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";

/** A stand-in for the random provider: `RandomPassword` only. */
export function randomProvider(version: string): Provider {
  return {
    name: "random",
    version,
    label: ({ type, name }) => `${type.split(":").at(-1) ?? type} ${name}`,
    check: ({ type }, inputs) => {
      if (type !== "random:index/randomPassword:RandomPassword") throw new Error(`no stand-in for ${type}`);
      return inputs;
    },
    diff: (known, inputs) => {
      const changes = changedKeys(known.inputs, inputs);
      return { changes, replaces: changes };
    },
    preview: (_, inputs) => ({ ...inputs, result: secret(unknown), bcryptHash: secret(unknown) }),
    create: (_, inputs) => {
      const result = password(plainValues(inputs));
      // Not a hash: nobody asks for one here, and a real one takes longer than the rest of a run.
      return Promise.resolve({
        id: "none",
        outputs: { ...inputs, result: secret(result), bcryptHash: secret(`hash of ${result}`) },
      });
    },
    update: (known) => Promise.reject(new Error(`${known.urn}: a password is never updated in place`)),
    remove: () => Promise.resolve(),
    read: ({ id, inputs, outputs }) => Promise.resolve({ id, inputs, outputs }),
  };
}

function password(inputs: Values): string {
  const special = inputs["special"] === false ? "" : asText(inputs["overrideSpecial"]) || "!@#$%&*()-_=+";
  const alphabet =
    (inputs["lower"] === false ? "" : letters) +
    (inputs["upper"] === false ? "" : letters.toUpperCase()) +
    (inputs["numeric"] === false ? "" : digits) +
    special;
  const length = Number(inputs["length"]);
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

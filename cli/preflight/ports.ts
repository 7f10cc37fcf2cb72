import { isFree } from "../ports";
import type { Check } from "./inspection";
import { error } from "./problem";

/** Whether the ports that were asked for by number are free. */
export const ports: Check = {
  subject: "the ports of this machine",
  async find({ ports: asked }) {
    const free = await Promise.all(asked.map(isFree));
    return asked
      .filter((_, index) => free[index] === false)
      .map((port) =>
        error(
          `port ${port} is in use on this machine`,
          "Free it, or ask for another one; without a number, one that is free is taken",
        ),
      );
  },
};

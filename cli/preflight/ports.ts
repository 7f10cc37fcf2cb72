import { isFree } from "../ports";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { error } from "../../finding";

export const ports: Check<Inspection> = {
  subject: "the ports of this machine",
  asks: "whether the ports that were asked for by number are free",
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

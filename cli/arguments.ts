/** The values of options, as texts on a command line. */
import { InvalidArgumentError } from "commander";

/** A port. @throws InvalidArgumentError the text is none. */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError("A port is 1 to 65535.");
  return value;
}

/** The seconds of a duration, such as `90s` or `10m`. @throws InvalidArgumentError the text is none. */
export function duration(text: string): number {
  const [, amount, unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const seconds = new Map([
    ["s", 1],
    ["m", 60],
    ["h", 3_600],
    ["d", 86_400],
  ]).get(unit);
  if (seconds === undefined) throw new InvalidArgumentError("A duration is such as 90s, 10m, 2h or 1d.");
  return Number(amount) * seconds;
}

/** A number from 1 on. @throws InvalidArgumentError the text is none. */
export function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It is a whole number from 1 on.");
  return Number(text);
}

/** A share in percent, from 1 to 99. @throws InvalidArgumentError the text is none. */
export function percentOf(text: string): number {
  const percent = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(percent >= 1 && percent <= 99))
    throw new InvalidArgumentError("It is a share in whole percent, from 1 to 99.");
  return percent;
}

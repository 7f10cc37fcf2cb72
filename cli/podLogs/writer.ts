import colors from "picocolors";

import type { ContainerName } from "./stream";

type Colour = (text: string) => string;

const palette: readonly Colour[] = [colors.cyan, colors.green, colors.magenta, colors.yellow, colors.blue];

/** Writes lines of several containers so that each tells whose it is; those of a single one as they are. */
export class LogWriter {
  private readonly colours = new Map<string, Colour>();

  constructor(
    /** Whether lines of more than one container may come. */
    private readonly several: boolean,
    /** One JSON object a line, for machines. */
    private readonly json: boolean,
  ) {}

  /** What takes the lines of a container. */
  linesOf({ pod, container }: ContainerName): (line: string) => void {
    if (this.json)
      return (line) => process.stdout.write(`${JSON.stringify({ event: "log", pod, container, line })}\n`);
    if (!this.several) return (line) => process.stdout.write(`${line}\n`);
    const prefix = this.colour(pod)(`${pod}/${container}`);
    return (line) => process.stdout.write(`${prefix} ${line}\n`);
  }

  /** Says something that is no log, where a pipe does not get it. */
  note(text: string): void {
    process.stderr.write(`${colors.dim(text)}\n`);
  }

  private colour(pod: string): Colour {
    const known = this.colours.get(pod) ?? palette[this.colours.size % palette.length] ?? colors.cyan;
    this.colours.set(pod, known);
    return known;
  }
}

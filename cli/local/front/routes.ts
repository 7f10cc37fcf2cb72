/** What the front of the local target is told, and what it says: two files in its folder. */
import * as path from "node:path";

import * as z from "zod";

import { readText } from "../../../config/readText";
import { writeWhole } from "../../wholeFile";

const portName = z.string().regex(/^\d+$/);
const routesShape = z.record(portName, z.int());
const takenShape = z.object({ routes: routesShape, refused: z.record(portName, z.string()) });

/** Ports that people use, each with that of the server behind it. */
export type Routes = Readonly<Record<number, number>>;

/** What the front does now. */
export interface Taken {
  readonly routes: Routes;
  /** Ports that are not to be had, with the reason. */
  readonly refused: Readonly<Record<number, string>>;
}

const wantedFile = (folder: string) => path.join(folder, "wanted.json");
/** Where the front says what it does. */
export const takenFile = (folder: string) => path.join(folder, "taken.json");

/** What the front is to do. @throws Error there is no such file. */
export function readWanted(folder: string): Routes {
  return routesShape.parse(JSON.parse(readText(wantedFile(folder))));
}

/** Says what the front is to do; it looks at its start and at SIGHUP. */
export function writeWanted(folder: string, routes: Routes): void {
  writeWhole(wantedFile(folder), JSON.stringify(routes));
}

/** What the front does now; undefined if it has not said so yet. */
export function readTaken(folder: string): Taken | undefined {
  try {
    return takenShape.parse(JSON.parse(readText(takenFile(folder))));
  } catch {
    return undefined;
  }
}

/** Says what the front does now. */
export function writeTaken(folder: string, taken: Taken): void {
  writeWhole(takenFile(folder), JSON.stringify(taken));
}

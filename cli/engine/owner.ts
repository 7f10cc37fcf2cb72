import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import * as path from "node:path";

import { readText } from "../../config/readText";
import type { Backend } from "./backend";
import { folderOf } from "./locks";
import { project } from "../paths";
import { writeWhole } from "../wholeFile";

/** Whose the objects of a stack are: written on its namespaces, so that another state does not take them for its own. */
export interface Owner {
  /** Of the stack in its backend. No other one has the same. */
  readonly id: string;
  /** Where the state lies, for people: `laptop:/home/ann/platform/.mlplatform/state`, `s3://bucket/states`. */
  readonly state: string;
}

/**
 * The owner of a stack's objects. A backend that is a folder has a number of its own in a file, which goes with it
 * where it is copied: its path is another folder's on another machine. Any other backend is told by its address.
 *
 * @param must whether a folder without a number is given one. @default it is; for whoever only looks it is not
 */
export function ownerOf(
  stack: string,
  backend: Pick<Backend, "url">,
  must: "made" | "there" = "made",
): Owner {
  const folder = folderOf(backend.url);
  const { id, state } = folder === undefined ? byAddress(backend.url) : byFile(folder, must);
  const hash = createHash("sha256").update(JSON.stringify([id, project, stack]));
  return { id: hash.digest("hex").slice(0, 16), state };
}

/** Whether two of the same id are for certain one: accounts of Pulumi's service share their address. */
export function isExact({ url }: Pick<Backend, "url">): boolean {
  return !/^https?:/.test(url);
}

function byFile(folder: string, must: "made" | "there"): Owner {
  const file = path.join(folder, `${project}.json`);
  try {
    return JSON.parse(readText(file)) as Owner;
  } catch {
    const made = { id: randomBytes(16).toString("hex"), state: `${hostname()}:${path.dirname(folder)}` };
    if (must === "there") return made;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(file, `${JSON.stringify(made)}\n`);
    return made;
  }
}

/** Without a name, a password or a parameter: the address of a database may have them. */
function byAddress(url: string): Owner {
  const state = url.replace(/\/\/[^/@]*@/, "//").replace(/[?#].*$/, "");
  return { id: state, state };
}

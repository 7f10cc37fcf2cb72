/** The packages of a lock file, and those that a run had. */

import { normal } from "../modelEnvironment";

/** Versions of packages, by their names. */
type Versions = Readonly<Record<string, string>>;

/** A package of a lock file. */
export interface Pin {
  readonly name: string;
  readonly version: string;
  /** Whether it is for some machines alone: `xgboost==2.1.2 ; sys_platform == 'darwin'`. */
  readonly conditional: boolean;
}

/** The packages of a lock file. */
export function pinsOf(lock: string): Pin[] {
  return [...lock.matchAll(/^([\w.-]+)==([^\s;\\]+)( *;)?/gm)].map(([, name = "", version = "", marker]) => ({
    ...{ name, version, conditional: marker !== undefined },
  }));
}

/** Whether a run had the packages of a lock file. */
export function fits(pins: readonly Pin[], then: Versions): boolean {
  const known = byPlainName(then);
  return pins.every(({ name, version, conditional }) => {
    const was = known.get(normal(name));
    return was === version || (conditional && was === undefined);
  });
}

/** Which packages of a lock file were others in a run than in another. @returns a few words for each */
export function changes(pins: readonly Pin[], then: Versions, now: Versions): string[] {
  const [before, after] = [byPlainName(then), byPlainName(now)];
  return pins.flatMap(({ name }) => {
    const [was, is] = [before.get(normal(name)), after.get(normal(name))];
    return was === is ? [] : [`${name} ${was ?? "not installed"} then, ${is ?? "not installed"} now`];
  });
}

function byPlainName(versions: Versions): ReadonlyMap<string, string> {
  return new Map(Object.entries(versions).map(([name, version]) => [normal(name), version]));
}

/** The packages of a lock file, and those that a run had. */

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
    const was = known.get(plain(name));
    return was === version || (conditional && was === undefined);
  });
}

/** Which packages of a lock file were others in a run than in another. @returns a few words for each */
export function changes(pins: readonly Pin[], then: Versions, now: Versions): string[] {
  const [before, after] = [byPlainName(then), byPlainName(now)];
  return pins.flatMap(({ name }) => {
    const [was, is] = [before.get(plain(name)), after.get(plain(name))];
    return was === is ? [] : [`${name} ${was ?? "not installed"} then, ${is ?? "not installed"} now`];
  });
}

function byPlainName(versions: Versions): ReadonlyMap<string, string> {
  return new Map(Object.entries(versions).map(([name, version]) => [plain(name), version]));
}

/** A package's name as an index compares it: https://packaging.python.org/en/latest/specifications/name-normalization/ */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

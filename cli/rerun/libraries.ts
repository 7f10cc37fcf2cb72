/** The packages of a lock file, and those that a run had. */

/** Versions of packages, by their names. */
type Versions = Readonly<Record<string, string>>;

/** The packages of a lock file: `name==version`. */
export function pinsOf(lock: string): string[] {
  return lock.match(/^[\w.-]+==[^\s;\\]+/gm) ?? [];
}

/** Where other packages were installed than a lock file has. @returns a few words for each */
export function misfits(pins: readonly string[], then: Versions): string[] {
  const known = byPlainName(then);
  return pins.flatMap((pin) => {
    const [name = "", version = ""] = pin.split("==");
    const was = known.get(plain(name));
    return was === version ? [] : [`${name} ${was ?? "not installed"} then, ${version} now`];
  });
}

function byPlainName(versions: Versions): ReadonlyMap<string, string> {
  return new Map(Object.entries(versions).map(([name, version]) => [plain(name), version]));
}

/** A package's name as an index compares it: https://packaging.python.org/en/latest/specifications/name-normalization/ */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

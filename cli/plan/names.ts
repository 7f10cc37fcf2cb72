import { type RecordedResource, type Recording, isProvider, kindOf } from "./recording";

/** What a recording is made of, by URN, with names that fit into a line. */
export class Names {
  private readonly byUrn: ReadonlyMap<string, RecordedResource>;
  private readonly shortByUrn = new Map<string, string>();

  constructor({ resources }: Recording) {
    this.byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    // Each gets its shortest name; those that share one take their next longer, until all are told apart.
    const candidates = new Map(resources.map((resource) => [resource.urn, this.candidates(resource)]));
    for (let shared = resources; shared.length > 0;) {
      const uses = new Map<string, RecordedResource[]>();
      for (const resource of resources) {
        const short = `${kindOf(resource)} ${candidates.get(resource.urn)?.[0] ?? resource.name}`;
        this.shortByUrn.set(resource.urn, short);
        const users = uses.get(short) ?? [];
        users.push(resource);
        uses.set(short, users);
      }
      shared = [...uses.values()].filter((users) => users.length > 1).flat();
      shared = shared.filter(({ urn }) => (candidates.get(urn)?.length ?? 0) > 1);
      for (const { urn } of shared) candidates.get(urn)?.shift();
    }
  }

  get(urn: string): RecordedResource | undefined {
    return this.byUrn.get(urn);
  }

  /** Kind and name, without the name of the component around it where that is not needed to tell it from others. */
  short(urn: string): string {
    return this.shortByUrn.get(urn) ?? urn.split("::").at(-1) ?? urn;
  }

  /** A resource's name within its component. */
  inComponent(resource: RecordedResource): string {
    return this.candidates(resource)[0] ?? resource.name;
  }

  /** The name without those of the components around it: of all, of all but the innermost, …, of none. */
  private candidates({ name, parent }: RecordedResource): string[] {
    const all = [name];
    for (let outer = this.get(parent); outer !== undefined; outer = this.get(outer.parent))
      if (name.startsWith(`${outer.name}-`)) all.push(name.slice(outer.name.length + 1));
    return [...new Set(all)].sort((a, b) => a.length - b.length);
  }
}

/**
 * What each resource has to wait for, without what it waits for anyway because something else that it waits for
 * does. Components and providers are left out: one is its parts, the other is no part of what is deployed.
 *
 * @returns URNs by the URN of what waits, in the order of their short names.
 */
export function waitsFor(recording: Recording, names: Names): ReadonlyMap<string, readonly string[]> {
  const parts = new Set(
    recording.resources.filter((resource) => resource.custom && !isProvider(resource)).map(({ urn }) => urn),
  );
  const direct = new Map(
    recording.resources.map(({ urn, dependencies }) => [
      urn,
      dependencies.filter((dependency) => parts.has(dependency)),
    ]),
  );
  const reach = new Map<string, ReadonlySet<string>>();
  const reachable = (urn: string): ReadonlySet<string> => {
    const known = reach.get(urn);
    if (known !== undefined) return known;
    const all = new Set<string>();
    reach.set(urn, all);
    for (const next of direct.get(urn) ?? []) for (const one of [next, ...reachable(next)]) all.add(one);
    return all;
  };
  const order = (a: string, b: string) => (names.short(a) < names.short(b) ? -1 : 1);
  return new Map(
    [...direct].map(([urn, next]) => [
      urn,
      next.filter((one) => !next.some((other) => other !== one && reachable(other).has(one))).sort(order),
    ]),
  );
}

/** Short names in a line, with the kind once for all that share it. */
export function listed(urns: readonly string[], names: Names): readonly string[] {
  let kind = "";
  return urns.map((urn) => {
    const short = names.short(urn);
    const space = short.indexOf(" ");
    if (short.slice(0, space) === kind) return short.slice(space + 1);
    kind = short.slice(0, space);
    return short;
  });
}

import { footprints } from "../../components/capabilities";

/** A resource, as far as it takes to say which part of the platform it belongs to. */
export interface PartResource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly custom?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** A part of the platform, as people know it. */
export interface Part {
  /** The component's URN. */
  readonly urn: string;
  readonly title: string;
}

/** What each component is called, by its type. */
const titles = new Map(footprints.flatMap((footprint) => Object.entries(footprint.titles)));

/** The parts of a stack, and which resources belong to which. */
export class Parts {
  private readonly resources = new Map<string, PartResource>();

  constructor(resources: Iterable<PartResource>) {
    for (const resource of resources) this.add(resource);
  }

  /** Learns of another resource. */
  add(resource: PartResource): void {
    // What is known with its inputs is not replaced by what an event tells with fewer.
    this.resources.set(resource.urn, { ...this.resources.get(resource.urn), ...resource });
  }

  /** The part that a resource belongs to; undefined for the stack itself and what stands beside the platform. */
  of(urn: string): Part | undefined {
    for (let one = this.resources.get(urn); one !== undefined; one = this.resources.get(one.parent ?? "")) {
      const title = titles.get(one.type);
      if (title !== undefined) return { urn: one.urn, title: title(one.inputs ?? {}) };
    }
    return undefined;
  }

  /** The resources of a part that a provider makes, as URNs. */
  members({ urn }: Part): string[] {
    return [...this.resources.values()]
      .filter((resource) => resource.custom === true && this.of(resource.urn)?.urn === urn)
      .map((resource) => resource.urn);
  }
}

import type { Values } from "./values";

/** What a provider makes of a resource's inputs. */
export interface Difference {
  /** The properties that change. */
  readonly changes: readonly string[];
  /** Those of them that only another resource can have. */
  readonly replaces: readonly string[];
  /** The old resource must go first, since both would have the same name. */
  readonly deleteBeforeReplace?: boolean;
}

/** A resource as it is. */
export interface Live {
  readonly id: string;
  readonly inputs: Values;
  readonly outputs: Values;
}

/** A resource as the engine passes it to a provider. */
export interface Resource {
  readonly urn: string;
  /** As in the program: `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  /** As in the program. */
  readonly name: string;
}

/** A resource that the engine's state holds. */
export interface Known extends Resource {
  readonly id: string;
  readonly inputs: Values;
  readonly outputs: Values;
}

/** A resource that exists and is not what it shall be: the engine keeps it, with the error, for the next run. */
export class InitError extends Error {
  override readonly name = "InitError";

  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Values,
  ) {
    super(message);
  }
}

/** A provider of resources, behind the engine's protocol. Secrets in the values are marked. */
export interface Provider {
  /** The package: `kubernetes`. */
  readonly name: string;
  readonly version: string;
  /** Takes the settings of the provider resource. */
  configure?(settings: Values): void;
  /** Ends what is under way: the engine was told to stop. */
  cancel?(): void;
  /** The resource's kind, namespace and name, for people. */
  label(resource: Resource, inputs: Values): string;
  /** Completes the inputs. `old` is undefined for a new resource. */
  check(resource: Resource, inputs: Values, old: Values | undefined): Values;
  diff(known: Known, inputs: Values): Difference | Promise<Difference>;
  /** What a preview knows of the outputs. */
  preview(resource: Resource, inputs: Values): Values;
  /** @throws InitError it exists, and did not become ready. */
  create(resource: Resource, inputs: Values): Promise<{ id: string; outputs: Values }>;
  /** @throws InitError it has changed, and did not become ready. */
  update(known: Known, inputs: Values): Promise<Values>;
  remove(known: Known): Promise<void>;
  /** The resource as it is; undefined if it is gone. For an import, the inputs of `known` are empty. */
  read(known: Known): Promise<Live | undefined>;
}

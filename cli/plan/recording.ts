/** What stands in a recording for a value that is a secret, is not known before the deployment, or both. */
export const markers = {
  secret: "[secret]",
  unknown: "[unknown until deployed]",
  unknownSecret: "[secret, unknown until deployed]",
} as const;

/** One resource as the engine would be asked for it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** The parent's URN; empty for the stack itself. */
  readonly parent: string;
  /** Whether a provider makes it; a component is made by the program alone. */
  readonly custom: boolean;
  /** The URN of an explicit provider, with its id if that is known; empty if the default provider would be used. */
  readonly provider: string;
  /** What the resource is asked to be, with {@link markers} for what cannot be shown. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of the inputs that are Pulumi secrets, such as `stringData.password`; sorted. */
  readonly secretPaths: readonly string[];
  /** URNs of all that must be there before it; sorted. */
  readonly dependencies: readonly string[];
  /** The same by the input that brings the dependency; explicit ones (`dependsOn`) are in none. */
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly options: ResourceOptions;
  /** The id of a resource that exists already and is only read. */
  readonly read?: string;
}

/** The options of a resource that change what becomes of it. One that is not set is left out. */
export interface ResourceOptions {
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly deleteBeforeReplace?: boolean;
  readonly customTimeouts?: Readonly<Record<string, string>>;
  readonly ignoreChanges?: readonly string[];
  readonly replaceOnChanges?: readonly string[];
  readonly additionalSecretOutputs?: readonly string[];
  readonly aliases?: readonly unknown[];
  readonly deletedWith?: string;
  readonly import?: string;
}

/** A message of the program, or of Pulumi's SDK about it. */
export interface Notice {
  readonly severity: "info" | "warning";
  readonly message: string;
  /** The resource that it is about; empty if it is about none. */
  readonly urn: string;
}

/** All that a program asked for. */
export interface Recording {
  readonly project: string;
  readonly stack: string;
  /** Everything but the stack itself, ordered by type, name and URN. */
  readonly resources: readonly RecordedResource[];
  readonly outputs: unknown;
  /** Paths of the outputs that are secrets. */
  readonly secretOutputs: readonly string[];
  readonly notices: readonly Notice[];
}

/** The last part of a type token: `Namespace` of `kubernetes:core/v1:Namespace`. */
export function kindOf({ type }: { readonly type: string }): string {
  return type.startsWith("pulumi:providers:") ? "Provider" : (type.split(":").at(-1) ?? type);
}

/** Whether the resource is an instance of a provider, which is no part of what is deployed. */
export function isProvider({ type }: { readonly type: string }): boolean {
  return type.startsWith("pulumi:providers:");
}

/** In the order of what `key` says of each, which it is asked once. */
export function sortedBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}

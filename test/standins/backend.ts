import type { Values } from "./values";

/** Tells an object of a cluster from all others. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for what belongs to no namespace. */
  readonly namespace: string;
  readonly name: string;
}

/** An object as it is in the cluster, or shall be. */
export interface KubeObject extends ObjectRef {
  /** The whole manifest, `apiVersion` and `metadata` included. */
  readonly manifest: Values;
}

/** An object that is there. */
export interface LiveObject extends KubeObject {
  /** It serves, or, of a Job, it has succeeded. */
  readonly ready: boolean;
}

/** Where a Helm release can stand. */
export type ReleaseStatus =
  "deployed" | "failed" | "pending-install" | "pending-upgrade" | "uninstalling" | "superseded";

/** What to install. */
export interface ReleaseSpec {
  readonly namespace: string;
  readonly name: string;
  /** As the program names it: a name, an `oci://` address or a folder. */
  readonly chart: string;
  readonly version: string;
  /** Address of the repository that a chart without one of its own is looked for in. */
  readonly repository?: string;
  readonly values: Values;
  /** Seconds that its objects may take to be ready. */
  readonly timeout?: number;
  /** How many revisions are kept. */
  readonly maxHistory?: number;
}

/** A revision of a release, as Helm records it. */
export interface ReleaseRecord extends ReleaseSpec {
  readonly status: ReleaseStatus;
  readonly revision: number;
}

/** The failure of a release that Helm has recorded: the release is there, and the next upgrade may mend it. */
export class ReleaseFailed extends Error {
  override readonly name = "ReleaseFailed";
}

/**
 * A Kubernetes cluster, as the stand-in provider needs it. What a call starts goes on only while the caller
 * lives, where the real tool's does: an installation that loses its client stays `pending-install`.
 */
export interface ClusterBackend {
  /** Hears which context the program names. @throws Error it is not the one of this cluster. */
  expectContext?(context: string): void;
  /** Ends what is waited for, since the engine was told to stop. */
  cancel?(): void;
  /** Makes an object. @throws Error there is one, whosever it is. */
  create(object: KubeObject, manager: string): Promise<void>;
  /**
   * Applies an object on the server's side.
   *
   * @param manager owns the fields that it sets; another owner's field with another value is a conflict.
   * @param force takes such fields over.
   */
  apply(object: KubeObject, manager: string, force: boolean): Promise<void>;
  /** The object as it is; undefined if there is none. */
  get(ref: ObjectRef): Promise<LiveObject | undefined>;
  /** Waits until the object serves. @throws Error it failed, or the time is over. */
  ready(ref: ObjectRef): Promise<void>;
  /** Deletes an object, and waits until it is gone. Of one that is not there, nothing is left to do. */
  remove(object: KubeObject): Promise<void>;

  /** The newest revision of a release; undefined if there is none. */
  release(namespace: string, name: string): Promise<ReleaseRecord | undefined>;
  /** Installs a release and waits for it. @throws ReleaseFailed it is recorded as failed. */
  install(spec: ReleaseSpec): Promise<ReleaseRecord>;
  /** Upgrades a release and waits for it. @throws ReleaseFailed it is recorded as failed. */
  upgrade(spec: ReleaseSpec): Promise<ReleaseRecord>;
  /** Removes a release and what it installed. */
  uninstall(namespace: string, name: string): Promise<void>;
}

/** An image that was built, and pushed where its name has a registry. */
export interface BuiltImage {
  readonly name: string;
  readonly digest: string;
}

/** A Docker daemon, as the stand-in provider needs it. */
export interface ImageBackend {
  /** Builds an image, and pushes it unless told not to. */
  build(name: string, build: Values, push: boolean): Promise<BuiltImage>;
  /** The image under this name; undefined if there is none. */
  image(name: string): Promise<BuiltImage | undefined>;
  /** Forgets the image. */
  removeImage(name: string): Promise<void>;
}

/** What the engine asks a provider to change. */
export interface Call {
  readonly verb: "create" | "update" | "delete";
  /** The resource's type in words, namespace and name: `Release mlflow/mlflow`, `RandomPassword db`. */
  readonly label: string;
  readonly urn: string;
}

/** Watches each call that changes something, and may hold it up. */
export interface CallObserver {
  /** Resolves when the call may go on. @throws Error the call shall fail before it does anything. */
  began(call: Call): Promise<number>;
  /** The call with this number has ended; with a message if it failed. */
  ended(number: number, failure?: string): Promise<void>;
}

/** Everything behind the stand-in providers. */
export type Backend = ClusterBackend & ImageBackend & CallObserver;

import type { Cluster } from "../cluster/cluster";
import type { Item } from "../status/item";
import { seldon } from "./seldon/backend";
import type { ServedModel } from "./served";

/** Labels and name of an object of the cluster. */
export interface Labelled {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** A version of a model that a resource declares to be in service. */
export interface DeclaredVersion {
  /** Its name in the resource, with the version in it. */
  readonly name: string;
  /** Hash of what it runs. */
  readonly version: string;
}

/** What the commands must know of the software that serves models; what it checks stands in `checks.ts`. */
export interface Backend<Model = never> {
  /** Kind of the resource that a model is. */
  readonly kind: string;
  /** The chart of what makes pods of it; its release is called so too. */
  readonly chart: string;
  /** Where the API server has the models of a namespace, in the form of {@link Backend.wants}. */
  readonly addressIn: (namespace: string) => string;
  /** The models in the namespace for them. @throws Refused */
  readonly models: (cluster: Cluster) => Promise<ServedModel[]>;
  /** The versions that a resource of this kind declares to be in service. */
  readonly declared: (inputs: Readonly<Record<string, unknown>>) => readonly DeclaredVersion[];
  /** What a reader wants to know of such a resource: each of its versions, in a few words. */
  readonly facts: (inputs: Readonly<Record<string, unknown>>) => readonly string[];
  /** The label that the objects of a model bear, with its name as the value. */
  readonly label: string;
  /** Whether a model still wants a Deployment: that of a former version stays until the new one is ready. */
  readonly wants: (model: Model, deployment: Labelled) => boolean;
  /** What certificates it lives on, and until when. @throws Refused */
  readonly certificates: (cluster: Cluster) => Promise<readonly Item[]>;
  /** Removes what its release has left, if nobody uses that any more. @returns what that was, in words */
  readonly removeLeft: (cluster: Cluster) => Promise<string | undefined>;
}

/** What serves the models. */
export const backend = seldon;

/** A resource that a model is, as the API server has it. */
export type ModelResource = Parameters<typeof backend.wants>[0];

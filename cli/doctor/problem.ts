import type { Cluster } from "../cluster/cluster";
import type { Finding } from "../cluster/diagnosis/finding";
import type { Item } from "../status/item";
import type { Look } from "../status/pods";
import type { StackRecord } from "./stackRecord";

/** How a problem is mended. */
export interface Mend {
  /** What is done, and what that means for what is there. */
  readonly description: string;
  /** Does it; undefined where only the user can. @throws Error it cannot be done. */
  readonly apply?: () => Promise<void>;
  /** What the user runs, in place of that or after it. */
  readonly command?: string;
}

/** Something that is wrong. */
export interface Problem {
  /** What it is about, in a few words. */
  readonly title: string;
  /** What was found, and where. */
  readonly found: string;
  /** What comes of it. */
  readonly means: string;
  readonly mend: Mend;
  /** The objects that it is about, as `inWords` of `cluster/kinds.ts` names them, where another problem may be about the same. */
  readonly about?: readonly string[];
}

/** What is examined. */
export interface Patient {
  readonly cluster: Cluster;
  readonly namespaces: readonly string[];
  /** The stack's own books; undefined if it was not brought up from here. */
  readonly stack: StackRecord | undefined;
  /** Says why things in some namespaces are not ready. */
  readonly look: Look;
  /** What a pod finds wrong with names and Services; nothing where the platform is not there, or none may be asked. */
  readonly network: () => Promise<readonly Finding[]>;
  /** What `npm run status` says, line by line. */
  readonly status: () => Promise<readonly Item[]>;
}

/** Looks for one kind of problem. */
export interface Check {
  /** What is looked at, as a noun. */
  readonly title: string;
  readonly examine: (patient: Patient) => Promise<readonly Problem[]>;
}

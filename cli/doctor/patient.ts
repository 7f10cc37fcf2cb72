import type { Cluster } from "../cluster/cluster";
import type { Diagnosis } from "../cluster/diagnosis/diagnosis";
import type { Item } from "../status/item";
import type { Look } from "../status/pods";
import type { StackRecord } from "./stackRecord";

/** What is examined. */
export interface Patient {
  readonly cluster: Cluster;
  readonly namespaces: readonly string[];
  /** The stack's own books; undefined if it was not brought up from here. */
  readonly stack: StackRecord | undefined;
  /** Says why things in some namespaces are not ready. */
  readonly look: Look;
  /** What a pod finds wrong with names and Services; nothing where the platform is not there, or none may be asked. */
  readonly network: () => Promise<readonly Diagnosis[]>;
  /** What `npm run status` says, line by line. */
  readonly status: () => Promise<readonly Item[]>;
}

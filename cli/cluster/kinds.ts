import type { Cluster } from "./cluster";

/** What tells an object of a cluster from all others. */
export interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Where each kind of a group's version stands. */
interface Kinds {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/** Where the API server has the objects of each kind; it is asked once for each group. */
export class KnownKinds {
  private readonly groups = new Map<string, Promise<Kinds | undefined>>();

  constructor(private readonly cluster: Cluster) {}

  /**
   * The address of an object; undefined if the cluster does not know its kind.
   *
   * @param namespace of an object that names none. @default none
   */
  async addressOf({ apiVersion, kind, metadata }: ObjectName, namespace = ""): Promise<string | undefined> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let asked = this.groups.get(root);
    if (asked === undefined) this.groups.set(root, (asked = this.cluster.get<Kinds>(root)));
    const found = (await asked)?.resources?.find((one) => one.kind === kind && !one.name.includes("/"));
    if (found === undefined) return undefined;
    const within = found.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : "";
    return `${root}${within}/${found.name}/${metadata.name}`;
  }
}

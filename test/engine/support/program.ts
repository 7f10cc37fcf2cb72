import type { ReleaseState } from "../../../cli/engine/recover";
import { chartName } from "../../standins/charts";
import type { ObjectRef } from "../../standins/backend";
import { type MemoryCluster, keyOf } from "../../standins/cluster";
import { asText, asValues } from "../../standins/values";
import { type Child, start } from "./child";
import type { Order, Outcome, RecordAnswer, RecordQuestion } from "./protocol";

/** The process that runs the program: started again when it has been killed. */
export class Program {
  private child: Child | undefined;
  private readonly open = new Map<number, (outcome: Outcome) => void>();
  private last = 0;

  /**
   * @param program the module of the program, absolute.
   * @param engineRoot the folder with the engine's `bin`.
   */
  constructor(
    private readonly program: string,
    private readonly engineRoot: string,
    private readonly cluster: () => MemoryCluster,
  ) {}

  /** Carries an order out. If the process dies over it, the outcome is a failure that says so. */
  order(order: Omit<Order, "id">): Promise<Outcome> {
    const child = this.running();
    this.last += 1;
    const id = this.last;
    return new Promise((resolve) => {
      this.open.set(id, resolve);
      child.process.send({ ...order, id } satisfies Order);
    });
  }

  async kill(): Promise<void> {
    await this.child?.kill();
  }

  private running(): Child {
    if (this.child?.alive() === true) return this.child;
    const env = { ENGINE_PROGRAM: this.program, ENGINE_ROOT: this.engineRoot };
    const child = start("test/engine/support/driver.ts", env);
    this.child = child;
    child.process.on("message", (message: Outcome | RecordQuestion) => {
      if ("question" in message) {
        this.answer(child, message);
        return;
      }
      this.open.get(message.id)?.(message);
      this.open.delete(message.id);
    });
    child.process.once("exit", () => {
      for (const [id, resolve] of this.open) {
        resolve({ id, ok: false, error: "the program was killed", text: "", events: "", changes: {} });
      }
      this.open.clear();
    });
    return child;
  }

  private answer(child: Child, { question, method, namespace, name, kind = "" }: RecordQuestion): void {
    const cluster = this.cluster();
    const answer: RecordAnswer = { question };
    if (method === "list") child.process.send({ ...answer, releases: releasesOf(cluster, namespace) });
    else if (method === "look")
      child.process.send({ ...answer, seen: seen(cluster, { namespace, name, kind }) });
    else {
      cluster.forget(namespace, name, method);
      child.process.send(answer);
    }
  }
}

function seen(cluster: MemoryCluster, ref: Omit<ObjectRef, "apiVersion">): RecordAnswer["seen"] {
  const manifest = cluster.objects.get(keyOf(ref))?.manifest;
  const { labels, annotations } = asValues(manifest?.["metadata"]);
  if (asValues(labels)["app.kubernetes.io/part-of"] !== "mlplatform") return undefined;
  return { owner: asText(asValues(annotations)["mlplatform/owner"]) };
}

function releasesOf(cluster: MemoryCluster, namespace: string): ReleaseState[] {
  return [...cluster.releases.values()].flatMap((records) => {
    const newest = records.at(-1);
    if (newest?.namespace !== namespace) return [];
    return [{ name: newest.name, status: newest.status, chart: chartName(newest) }];
  });
}

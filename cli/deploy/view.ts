import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";

import type { Diagnosis } from "../cluster/diagnosis/diagnosis";
import { plainMessage } from "../engine/events";
import { Interrupted } from "../errors";
import type { Progress, Step } from "../progress";
import { type Busy, concerns, inWords, objectOf } from "./busy";
import { type Part, type PartResource, Parts } from "./parts";

/** A part of which something is under way. */
interface Line {
  readonly part: Part;
  readonly counts: Map<string, number>;
  readonly step: { detail: (text: string) => void; done: () => void; failed: (error: Error) => void };
}

const doing: Readonly<Record<string, string>> = {
  create: "creating",
  update: "updating",
  delete: "removing",
  "create-replacement": "creating",
  "delete-replaced": "removing",
  read: "reading",
  refresh: "comparing",
};
const done: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  delete: "removed",
  "create-replacement": "replaced",
  "delete-replaced": "removed",
  refresh: "compared",
};

/** Shows a run of the engine by the parts of the platform, each with what it is busy with, and why that takes time. */
export class DeploymentView {
  private readonly parts: Parts;
  private readonly lines = new Map<string, Line>();
  private readonly busyByUrn = new Map<string, Busy>();
  private readonly reasons = new Map<string, string>();
  /** What the engine has said of resources, before it says that they failed. */
  private readonly errors = new Map<string, string>();
  /** Why the engine has been told to stop. */
  private stopped: Error | undefined;
  /** Resources that are as they shall be, as URNs. */
  private readonly finished = new Set<string>();

  /** @param resources what the program or the state is known to have. */
  constructor(
    private readonly progress: Progress,
    resources: Iterable<PartResource>,
  ) {
    this.parts = new Parts(resources);
  }

  /** With what the engine is busy now, the longest first. */
  busy(): Busy[] {
    return [...this.busyByUrn.values()].sort((a, b) => a.since - b.since);
  }

  /** What has failed, in that order. */
  readonly failures: Busy[] = [];
  /** When the first one has, in milliseconds since 1970. */
  failedAt: number | undefined;

  /** What the engine has said of what has failed: "Release mlflow: no such chart". */
  get said(): string {
    return this.failures.map((one) => `${inWords(one)}: ${this.errors.get(one.urn) ?? "failed"}`).join("\n");
  }

  /** Takes in what the engine tells. */
  onEvent(event: EngineEvent): void {
    const { diagnosticEvent: said, resourcePreEvent, resOutputsEvent, resOpFailedEvent } = event;
    if (said?.urn !== undefined && said.severity === "error")
      this.errors.set(said.urn, plainMessage(said.message));
    if (resourcePreEvent !== undefined) this.began(resourcePreEvent.metadata);
    if (resOutputsEvent !== undefined) this.ended(resOutputsEvent.metadata);
    if (resOpFailedEvent !== undefined) this.failed(resOpFailedEvent.metadata);
  }

  /** Shows why things take their time. */
  explain(findings: readonly Diagnosis[]): void {
    this.reasons.clear();
    for (const busy of this.busyByUrn.values()) {
      const [first] = findings.filter((finding) => concerns(finding, busy));
      if (first !== undefined) this.reasons.set(busy.urn, first.what);
    }
    for (const line of this.lines.values()) this.describe(line);
  }

  /**
   * Says that the engine has been told to stop: what fails from now on fails for this reason.
   *
   * @param culprit what it is about, if it is about one resource; its part has failed.
   */
  stopping(reason: Error, culprit?: Busy): void {
    if (this.stopped === undefined && reason instanceof Interrupted)
      this.progress.warn(
        "stopping: the engine brings what is under way to its end, as far as that takes a few seconds; the same command " +
          "goes on from there.",
      );
    this.stopped ??= reason;
    if (culprit !== undefined) this.end(culprit.part, reason);
  }

  /** Ends the display of what is still open. */
  close(error?: Error): void {
    for (const { part } of this.lines.values()) this.end(part, error);
    this.busyByUrn.clear();
  }

  private began(metadata: StepEventMetadata): void {
    const { op, urn } = metadata;
    const resource = metadata.new ?? metadata.old;
    if (resource !== undefined) this.parts.add({ ...known(metadata), parent: resource.parent });
    const part = this.parts.of(urn);
    const what = doing[op];
    if (op !== "delete-replaced") this.finished.delete(urn);
    // The deletion and the creation, which a replacement is made of, are told by themselves.
    if (op === "replace") return;
    if (part === undefined || what === undefined || resource?.custom !== true) return;
    const busy = { ...objectOf(resource.type, resource.inputs), urn, part, doing: what, since: Date.now() };
    this.busyByUrn.set(urn, busy);
    this.tell(busy, "running");
    this.describe(this.line(part));
  }

  private ended({ op, urn }: StepEventMetadata): void {
    if (op === "replace") return;
    const busy = this.busyByUrn.get(urn);
    this.busyByUrn.delete(urn);
    if (busy !== undefined) this.tell(busy, "done");
    // One that goes before its replacement comes is not at its end.
    if (op !== "delete-replaced") this.finished.add(urn);
    const part = this.parts.of(urn);
    const line = part && this.lines.get(part.urn);
    if (line === undefined) return;
    const word = done[op];
    if (word !== undefined) line.counts.set(word, (line.counts.get(word) ?? 0) + 1);
    this.describe(line);
    const open = this.parts.members(line.part).some((member) => !this.finished.has(member));
    if (open || this.busy().some((busy) => busy.part.urn === line.part.urn)) return;
    this.end(line.part);
  }

  private failed({ urn }: StepEventMetadata): void {
    const busy = this.busyByUrn.get(urn);
    this.busyByUrn.delete(urn);
    if (busy === undefined) return;
    this.failures.push(busy);
    this.failedAt ??= Date.now();
    this.tell(busy, "failed");
    const reason = this.reasons.get(urn) ?? this.errors.get(urn) ?? `${inWords(busy)} failed`;
    this.end(busy.part, this.stopped ?? new Error(reason));
  }

  /** Tells machines of a resource; people see its part. */
  private tell(
    { part, doing: what, kind, namespace, name }: Busy,
    state: "running" | "done" | "failed",
  ): void {
    this.progress.event({ event: "resource", part: part.title, doing: what, kind, namespace, name, state });
  }

  /** Ends the display of a part: with what was done, or with the reason why it was not. */
  private end({ urn }: Part, error?: Error): void {
    const line = this.lines.get(urn);
    if (line === undefined) return;
    this.lines.delete(urn);
    if (error !== undefined) {
      line.step.failed(error);
      return;
    }
    line.step.detail([...line.counts].map(([what, count]) => `${count} ${what}`).join(", "));
    line.step.done();
  }

  private line(part: Part): Line {
    const open = this.lines.get(part.urn);
    if (open !== undefined) return open;
    let step: Step | undefined;
    let finish: { resolve: () => void; reject: (error: Error) => void } | undefined;
    this.progress
      .step(part.title, (given) => {
        step = given;
        return new Promise<void>((resolve, reject) => {
          finish = { resolve, reject };
        });
      })
      .catch(() => undefined);
    const line: Line = {
      part,
      counts: new Map(),
      step: {
        detail: (text) => step?.detail(text),
        done: () => finish?.resolve(),
        failed: (error) => finish?.reject(error),
      },
    };
    this.lines.set(part.urn, line);
    return line;
  }

  /** Says what a part is busy with: the object that has been waited for longest, and why. */
  private describe(line: Line): void {
    const [first, ...others] = this.busy().filter(({ part }) => part.urn === line.part.urn);
    if (first === undefined) {
      const members = this.parts.members(line.part);
      const finished = members.filter((member) => this.finished.has(member)).length;
      line.step.detail(`${finished} of ${members.length} resources; the next wait for other parts`);
      return;
    }
    const more = others.length === 0 ? "" : `, and ${others.length} more`;
    const reason = this.reasons.get(first.urn);
    const what = `${first.doing} ${inWords(first)}${more}`;
    // A reason that begins with the object says all by itself.
    const begun = reason?.startsWith(`${inWords(first)} `) === true && others.length === 0;
    line.step.detail(reason === undefined ? what : begun ? reason : `${what}: ${reason}`);
  }
}

function known({ urn, type, new: after, old: before }: StepEventMetadata): PartResource {
  const { custom, inputs } = after ?? before ?? { custom: false, inputs: {} };
  return {
    urn,
    type,
    ...(custom === undefined ? {} : { custom }),
    inputs: inputs as Record<string, unknown>,
  };
}

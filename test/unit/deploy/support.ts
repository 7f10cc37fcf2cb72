import type { EngineEvent } from "@pulumi/pulumi/automation";

import type { PartResource } from "../../../cli/deploy/parts";
import { DeploymentView } from "../../../cli/deploy/view";
import { Progress } from "../../../cli/progress";
import { outputOf } from "../support/output";

/** A resource of a test's program, by a short name that is also the end of its URN. */
export interface TestResource extends PartResource {
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** A component below the platform. */
export function component(name: string, type: string, inputs: Readonly<Record<string, unknown>> = {}) {
  return { urn: name, type, parent: "mlplatform", custom: false, inputs } satisfies TestResource;
}

/** An object of the cluster below a component. */
export function object(name: string, parent: string, kind: string, namespace: string): TestResource {
  const inputs = { kind, metadata: { name, namespace } };
  return { urn: name, type: `kubernetes:core/v1:${kind}`, parent, custom: true, inputs };
}

/** A Helm release below a component. */
export function release(name: string, parent: string, namespace: string): TestResource {
  const inputs = { name, namespace };
  return { urn: name, type: "kubernetes:helm.sh/v3:Release", parent, custom: true, inputs };
}

/** The platform itself, and two parts of it. */
export const platform = { urn: "mlplatform", type: "mlplatform:platform:MlPlatform", custom: false };
export const tracking = component("tracking", "mlplatform:tracking:TrackingServer");
export const database = component("database", "mlplatform:database:PostgresChart");

/** The engine begins to do something with a resource. */
export function began(op: string, resource: TestResource): EngineEvent {
  return { resourcePreEvent: { metadata: metadata(op, resource) } } as unknown as EngineEvent;
}

/** It has come to an end with it. */
export function ended(op: string, resource: TestResource): EngineEvent {
  return { resOutputsEvent: { metadata: metadata(op, resource) } } as unknown as EngineEvent;
}

/** It has failed, as the engine tells that. */
export function failed(op: string, resource: TestResource, message?: string): EngineEvent[] {
  const { urn } = resource;
  const said = { diagnosticEvent: { urn, severity: "error", prefix: "error: ", message, color: "never" } };
  const end = { resOpFailedEvent: { metadata: metadata(op, resource), status: 0, steps: 1 } };
  return [...(message === undefined ? [] : [said]), end] as unknown as EngineEvent[];
}

function metadata(op: string, resource: TestResource) {
  const { urn, type } = resource;
  // As the engine has it: what is removed has an old state only, and that of a component says nothing of `custom`.
  const state = { ...resource, ...(resource.custom === true ? {} : { custom: undefined }) };
  return op.startsWith("delete") ? { op, urn, type, old: state } : { op, urn, type, new: state };
}

/** An event for machines. */
export interface Told {
  readonly event: string;
  readonly step: string;
  readonly state: string;
  readonly detail?: string;
}

/** All that machines are told of a run. */
export async function toldOf(
  resources: readonly PartResource[],
  scene: (view: DeploymentView) => unknown,
): Promise<Told[]> {
  const { out } = await outputOf(async () => {
    await scene(new DeploymentView(new Progress("json"), resources));
    // A step ends a moment after it was told to.
    await new Promise(setImmediate);
  });
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Told);
}

/** What is shown of a run, in order: `MLflow: creating Release mlflow` while it goes on, `MLflow ✓ 1 created` at its end. */
export async function shown(
  resources: readonly PartResource[],
  scene: (view: DeploymentView) => unknown,
): Promise<string[]> {
  const events = await toldOf(resources, scene);
  const marks: Readonly<Record<string, string>> = { running: ":", done: " ✓", failed: " ✗", stopped: " –" };
  return events
    .filter(({ event }) => event === "step")
    .map(({ step, state, detail }) => `${step}${marks[state] ?? state}${detail ? ` ${detail}` : ""}`);
}

/** Has the view take in some events. */
export function tell(view: DeploymentView, ...events: readonly EngineEvent[]): void {
  for (const event of events) view.onEvent(event);
}

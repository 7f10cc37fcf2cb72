import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import { kindOf, type Notice, type RecordedResource, type Recording } from "../../../../cli/plan/recording";
import { record } from "../../support/recorder";

/** What a component has created, to be asked for by kind and name. */
export class Created {
  constructor(private readonly recording: Recording) {}

  get resources(): readonly RecordedResource[] {
    return this.recording.resources;
  }

  /** `Kind name` of each resource, in alphabetical order. */
  get list(): string[] {
    return this.resources.map(title).sort();
  }

  /** What the program returned. */
  get outputs(): Readonly<Record<string, unknown>> {
    return this.recording.outputs as Record<string, unknown>;
  }

  /** Paths of the outputs that are secrets. */
  get secretOutputs(): readonly string[] {
    return this.recording.secretOutputs;
  }

  get notices(): readonly Notice[] {
    return this.recording.notices;
  }

  all(kind: string): RecordedResource[] {
    return this.resources.filter((resource) => kindOf(resource) === kind);
  }

  /** The resource of that kind; by name, if there are several. */
  one(kind: string, name?: string): RecordedResource {
    const [found, ...others] = this.all(kind).filter((one) => name === undefined || one.name === name);
    if (found !== undefined && others.length === 0) return found;
    throw new Error(`Not exactly one ${kind} ${name ?? ""} among:\n${this.list.join("\n")}`);
  }

  inputs(kind: string, name?: string): Readonly<Record<string, unknown>> {
    return this.one(kind, name).inputs;
  }

  /** `Kind name` of what a resource itself says that it depends on. */
  dependencies(kind: string, name?: string): string[] {
    return this.titles(this.one(kind, name).dependencies);
  }

  /**
   * `Kind name` of all that is there before a resource is made, and still there after it was removed: what it
   * depends on, what the components around it depend on, and what those depend on.
   */
  before(kind: string, name?: string): string[] {
    const reached = new Set<string>();
    const visit = (resource: RecordedResource | undefined): void => {
      for (const urn of resource?.dependencies ?? []) {
        if (reached.has(urn)) continue;
        reached.add(urn);
        visit(this.byUrn(urn));
      }
      if (resource !== undefined && resource.parent !== "") visit(this.byUrn(resource.parent));
    };
    visit(this.one(kind, name));
    return this.titles([...reached]);
  }

  private byUrn(urn: string): RecordedResource | undefined {
    return this.resources.find((resource) => resource.urn === urn);
  }

  private titles(urns: readonly string[]): string[] {
    return urns
      .map((urn) => {
        const resource = this.byUrn(urn);
        return resource === undefined ? urn : title(resource);
      })
      .sort();
  }
}

/** Runs a program that creates a component; what it returns are the outputs. */
export async function create(
  program: () => unknown,
  config: Record<string, string> = {},
  options: Parameters<typeof record>[2] = {},
): Promise<Created> {
  return new Created(await record(program, config, options));
}

/**
 * The part of a value at the end of the path. Only the last step may lead to nothing, so that a path that is wrong
 * is not taken for something that is rightly absent.
 */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((part, key, index) => {
    if (typeof part === "object" && part !== null) return (part as Record<string | number, unknown>)[key];
    throw new Error(`There is no ${path.slice(0, index).join(".")} in ${JSON.stringify(value)}`);
  }, value);
}

/** An object without one of its keys. */
export function without(object: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([one]) => one !== key));
}

/** A resource that takes the value: what is waited for by whoever takes it. */
export function consume(name: string, value: pulumi.Input<string>): pulumi.Resource {
  const data = { value };
  return new k8s.core.v1.ConfigMap(name, { metadata: { name }, data });
}

/** The environment of a container by name; a reference to a Secret as `secret/key`, one to the pod as its path. */
export function environment(container: unknown): Record<string, unknown> {
  const variables = at(container, "env") as { name: string; value?: unknown; valueFrom?: unknown }[];
  return Object.fromEntries(
    variables.map(({ name, value, valueFrom }) => {
      if (valueFrom === undefined) return [name, value];
      const field = at(valueFrom, "fieldRef");
      if (field !== undefined) return [name, at(field, "fieldPath")];
      const from = at(valueFrom, "secretKeyRef");
      return [name, `${String(at(from, "name"))}/${String(at(from, "key"))}`];
    }),
  );
}

/** The only container of a Job. */
export function jobContainer(job: Readonly<Record<string, unknown>>): unknown {
  const containers = at(job, "spec", "template", "spec", "containers") as unknown[];
  if (containers.length !== 1) throw new Error(`The Job has ${containers.length} containers.`);
  return containers[0];
}

function title(resource: RecordedResource): string {
  return `${kindOf(resource)} ${resource.name}`;
}

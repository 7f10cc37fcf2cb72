import * as pulumi from "@pulumi/pulumi";
import type { Alias } from "@pulumi/pulumi/proto/alias_pb";
import type { ReadResourceRequest, RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

import type { RecordedResource, ResourceOptions } from "./recording";

/** A resource as the SDK asks for it: all that {@link RecordedResource} says, with the inputs as they are sent. */
export type RequestedResource = Omit<RecordedResource, "inputs" | "secretPaths"> & {
  readonly sent: Readonly<Record<string, unknown>>;
};

/** Reads the request for a resource to be created. */
export function registered(request: RegisterResourceRequest, urn: string): RequestedResource {
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    custom: request.getCustom(),
    provider: providerOf(request),
    sent: request.getObject()?.toJavaScript() ?? {},
    dependencies: request.getDependenciesList().sort(),
    propertyDependencies: propertyDependencies(request),
    options: options(request),
  };
}

/** Reads the request for a resource that exists already. */
export function read(request: ReadResourceRequest, urn: string): RequestedResource {
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    custom: true,
    provider: providerOf(request),
    sent: request.getProperties()?.toJavaScript() ?? {},
    dependencies: request.getDependenciesList().sort(),
    propertyDependencies: {},
    options: {},
    read: request.getId(),
  };
}

function providerOf(request: RegisterResourceRequest | ReadResourceRequest): string {
  return request.getProvider().replace(`::${pulumi.runtime.unknownValue}`, "");
}

function propertyDependencies(request: RegisterResourceRequest): Record<string, readonly string[]> {
  const all: [string, string[]][] = [];
  request.getPropertydependenciesMap().forEach((dependencies, property) => {
    const urns = dependencies.getUrnsList();
    if (urns.length > 0) all.push([property, urns.sort()]);
  });
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function options(request: RegisterResourceRequest): ResourceOptions {
  const timeouts = Object.entries(request.getCustomtimeouts()?.toObject() ?? {}).filter(
    ([, time]) => time !== "",
  );
  return {
    ...(request.getProtect() === true && { protect: true }),
    ...(request.getRetainondelete() === true && { retainOnDelete: true }),
    ...(request.getDeletebeforereplacedefined() && { deleteBeforeReplace: request.getDeletebeforereplace() }),
    ...(timeouts.length > 0 && { customTimeouts: Object.fromEntries(timeouts) }),
    ...list("ignoreChanges", request.getIgnorechangesList()),
    ...list("replaceOnChanges", request.getReplaceonchangesList()),
    ...list("additionalSecretOutputs", request.getAdditionalsecretoutputsList()),
    ...list(
      "aliases",
      request.getAliasesList().map((one) => alias(one, request.getParent())),
    ),
    ...(request.getDeletedwith() !== "" && { deletedWith: request.getDeletedwith() }),
    ...(request.getImportid() !== "" && { import: request.getImportid() }),
  };
}

function list<K extends string, T>(key: K, values: readonly T[]): Partial<Record<K, readonly T[]>> {
  return values.length > 0 ? ({ [key]: values } as Record<K, readonly T[]>) : {};
}

/** An alias as it is written in a program: a URN, or what differs from the resource. */
function alias(value: Alias, parent: string): unknown {
  const spec = value.getSpec();
  if (spec === undefined) return value.getUrn();
  return Object.fromEntries(
    Object.entries({
      name: spec.getName(),
      type: spec.getType(),
      stack: spec.getStack(),
      project: spec.getProject(),
      parent: spec.getParenturn() === parent ? "" : spec.getParenturn(),
      noParent: spec.getNoparent(),
    }).filter(([, part]) => part !== "" && part !== false),
  );
}

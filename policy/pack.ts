/** The rules as policies of a Pulumi policy pack. */
import { type Policies, Secret } from "@pulumi/policy";

import { environmentOf, type PolicyResource, type Rule, rules } from "./rules";
import { join } from "./rules/values";

/** What the engine tells a policy of a resource, as far as it is read here. */
interface Args {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly props: Record<string, unknown>;
  readonly opts: { readonly protect: boolean };
}

/**
 * A policy for each rule, and one more that remembers every resource.
 *
 * Policies that validate are given secrets as plain values, and those for a whole stack are given the outputs of
 * resources instead of what was asked for. Only a policy that remediates is told which inputs are secrets, and the
 * engine asks it before any other, so that one is there to see them and changes nothing.
 */
export function policies(): Policies {
  const seen = new Map<string, PolicyResource>();
  const withSecrets = new Set<string>();
  const remembered = (args: Args) => seen.get(args.urn) ?? remember(args);
  function remember(args: Args): PolicyResource {
    const resource = read(args);
    seen.set(args.urn, resource);
    return resource;
  }

  return [
    {
      name: "read-inputs",
      description:
        "Sees which inputs are secrets, for the other policies; changes nothing. Its level has to stay at remediate.",
      enforcementLevel: "remediate",
      remediateResource: (args) => {
        remember(args);
        withSecrets.add(args.urn);
      },
      validateResource: (args, reportViolation) => {
        if (!withSecrets.has(args.urn))
          reportViolation(
            "it cannot be told which inputs are secrets: set the level of read-inputs to remediate",
          );
      },
    },
    ...rules.map((rule) => adapt(rule, seen, remembered)),
  ];
}

function adapt(
  { name, description, enforcement, needs, check }: Rule,
  seen: ReadonlyMap<string, PolicyResource>,
  remembered: (args: Args) => PolicyResource,
): Policies[number] {
  const common = { name, description, enforcementLevel: enforcement };
  if (needs === "stack") {
    return {
      ...common,
      validateStack: (args, reportViolation) => {
        const resources = args.resources.map(remembered);
        const stack = { resources, environment: environmentOf(resources, stackName(resources[0])) };
        for (const resource of resources)
          for (const message of check(resource, stack)) reportViolation(message, resource.urn);
      },
    };
  }
  return {
    ...common,
    validateResource: (args, reportViolation) => {
      const resource = remembered(args);
      const resources = [...seen.values()];
      const stack = { resources, environment: environmentOf(resources, stackName(resource)) };
      for (const message of check(resource, stack)) reportViolation(message);
    },
  };
}

function read({ type, name, urn, props, opts }: Args): PolicyResource {
  const secretPaths: string[] = [];
  return {
    type,
    name,
    urn,
    props: uncover(props, "", secretPaths) as Record<string, unknown>,
    secretPaths,
    protect: opts.protect,
    retainOnDelete: false,
  };
}

/**
 * The value without the proxies around it, which hide secrets and throw where a value is not known yet. They act
 * when a property is read, but not when it is described.
 */
function uncover(value: unknown, path: string, secretPaths: string[]): unknown {
  if (value instanceof Secret) {
    secretPaths.push(path);
    return uncover(value.value, path, secretPaths);
  }
  if (typeof value !== "object" || value === null) return value;
  const inside = (key: string, at: string | number) =>
    uncover(Object.getOwnPropertyDescriptor(value, key)?.value, join(path, at), secretPaths);
  if (Array.isArray(value)) {
    return Array.from({ length: value.length }, (_, index) => inside(String(index), index));
  }
  return Object.fromEntries(Object.keys(value).map((key) => [key, inside(key, key)]));
}

/** `urn:pulumi:<stack>::<project>::…` */
function stackName(resource: PolicyResource | undefined): string {
  return /^urn:pulumi:(.*?)::/.exec(resource?.urn ?? "")?.[1] ?? "";
}

import type { PolicyResource } from "../../policy/rules";
import type { Recording } from "./recording";

/** The resources as the policy rules take them. */
export function policyResources({ resources }: Recording): PolicyResource[] {
  return resources.map(({ type, name, urn, inputs, secretPaths, options }) => ({
    type,
    name,
    urn,
    props: inputs,
    secretPaths,
    protect: options.protect === true,
    retainOnDelete: options.retainOnDelete === true,
  }));
}

import type { Finding } from "../../finding";

/** What a rule looks at. Nothing here or in the rules depends on Pulumi: whoever has a stack can judge it. */

/** A resource as the engine is asked for it. */
export interface PolicyResource {
  /** Pulumi's token, such as `kubernetes:core/v1:Secret`. */
  type: string;
  name: string;
  urn: string;
  /** The inputs. A value that is not known before the deployment is one of the marks that `isUnknown` knows. */
  props: Record<string, unknown>;
  /** Paths of the inputs that are Pulumi secrets, such as `stringData.password`, written as `join` does. */
  secretPaths: readonly string[];
  protect: boolean;
  /** False where it is not known: the engine does not tell a policy pack. */
  retainOnDelete: boolean;
}

/** `mandatory` stops the deployment, `advisory` is only told. */
export type Enforcement = "mandatory" | "advisory";

/** What one rule found in one resource: what is wrong, where in the resource, and how to mend it. */
export interface Violation extends Finding {
  readonly rule: string;
  /** The URN of the resource. */
  readonly resource: string;
}

/** What a rule may look at beside the resource itself. */
export interface Stack {
  readonly resources: readonly PolicyResource[];
  /** `dev`, `staging` or `prod`. */
  readonly environment: string;
}

export interface Rule {
  readonly name: string;
  /** What every resource must be, as one sentence. */
  readonly description: string;
  readonly enforcement: Enforcement;
  /**
   * What has to be known before it can judge: `resource`, the resource and what was registered before it; `stack`,
   * all of the stack. The first kind stops a deployment before the resource is made.
   */
  readonly needs: "resource" | "stack";
  /** The messages about a resource; none if it is as it should be. */
  readonly check: (resource: PolicyResource, stack: Stack) => readonly string[];
}

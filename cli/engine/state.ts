import type { PulumiCommand, Stack } from "@pulumi/pulumi/automation";

/** A resource in a stack's state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly protect?: boolean;
  /** It stays in the cluster when it goes from the state. */
  readonly retainOnDelete?: boolean;
  /** It was replaced, and is still to be deleted. */
  readonly delete?: boolean;
  readonly id?: string;
  readonly parent?: string;
  readonly provider?: string;
  /** URNs of all that must be there before it. */
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  /** Why it did not become ready. The engine tries again, whether something has changed or not. */
  readonly initErrors?: readonly string[];
  /** It is gone, and another one is to take its place. */
  readonly pendingReplacement?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What a stack's state says of its resources. */
export interface Deployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly { readonly type: string; readonly resource: StateResource }[];
}

/** A state as `pulumi stack export` writes it. */
export interface State {
  readonly version: number;
  readonly deployment: Deployment;
}

/** What the Automation API keeps to itself. */
interface Runner {
  run(
    args: readonly string[],
    workDir: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly stdout: string }>;
}

/**
 * The stack's state with its secrets encrypted.
 *
 * `stack.exportStack` asks for them in plain text, and `importStack` would write that into a temporary file.
 */
export async function exportState({ name, workspace }: Stack): Promise<State> {
  const runner = workspace.pulumiCommand as PulumiCommand & Runner;
  const home = workspace.pulumiHome;
  const env = { ...workspace.envVars, ...(home === undefined ? {} : { PULUMI_HOME: home }) };
  const { stdout } = await runner.run(["stack", "export", "--stack", name], workspace.workDir, env);
  const state = JSON.parse(stdout) as { version: number; deployment?: Deployment };
  return { version: state.version, deployment: state.deployment ?? {} };
}

/** Writes the stack's state. Operations that it calls pending are dropped. */
export async function importState(stack: Stack, state: State): Promise<void> {
  await stack.importStack(state);
}

/** Whether the resource is one of Kubernetes, whose name tells its id. */
export function isKubernetes({ type }: StateResource): boolean {
  return type.startsWith("kubernetes:");
}

/** The id that the Kubernetes provider gives to an object or a release: `namespace/name`, or `name`. */
export function objectId({ type, inputs = {} }: StateResource): string {
  const metadata = type === "kubernetes:helm.sh/v3:Release" ? inputs : inputs["metadata"];
  const { namespace, name } = (metadata ?? {}) as { namespace?: unknown; name?: unknown };
  return [namespace, name].filter((part) => typeof part === "string" && part !== "").join("/");
}

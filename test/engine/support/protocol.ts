/** What the tests and the process that runs the program say to each other. */

import type { ReleaseState } from "../../../cli/engine/recover";
import type { Look } from "../../../cli/engine/strays";

/** One stack and one thing to do with it. */
export interface Order {
  readonly id: number;
  readonly action: "init" | "up" | "preview" | "refresh" | "destroy" | "unprotect" | "export" | "recover";
  readonly stack: string;
  /** Holds the project file and the stack's. */
  readonly workDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly options: Options;
}

/** Ways of doing it. */
export interface Options {
  /** Whether `up` tells the outputs, which costs runs of the CLI of their own. */
  readonly outputs?: boolean;
  /** Whether `up` first compares the state with the cluster. */
  readonly refresh?: boolean;
  /** For how many seconds `recover` waits for a living holder of the lock. */
  readonly patience?: number;
  /** What `recover` prepares for. */
  readonly next?: "up" | "destroy";
}

/** How it went. */
export interface Outcome {
  readonly id: number;
  readonly ok: boolean;
  /** The message of the error, if it is not ok. */
  readonly error?: string;
  /** Everything that the command wrote, and everything that it reported as an event. */
  readonly text: string;
  /** How many resources were the same, created, … */
  readonly changes: Readonly<Record<string, number>>;
  readonly outputs?: Readonly<Record<string, { readonly value: unknown; readonly secret: boolean }>>;
  readonly state?: State;
  /** The events that may be shown, as JSON on lines. */
  readonly events: string;
}

/** The state of a stack, as `pulumi stack export` writes it. */
export interface State {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly { readonly type: string; readonly resource: StateResource }[];
}

/** A resource in the state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly custom?: boolean;
  readonly parent?: string;
  readonly provider?: string;
  readonly protect?: boolean;
  readonly initErrors?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Asks the tests for Helm's records of a namespace or an object, or to forget some: they lie in the cluster. */
export interface RecordQuestion {
  readonly question: number;
  readonly method: "list" | "look" | "newest" | "all";
  readonly namespace: string;
  readonly name: string;
  /** Of an object. */
  readonly kind?: string;
}

/** The answer. */
export interface RecordAnswer {
  readonly question: number;
  readonly releases?: readonly ReleaseState[];
  readonly seen?: Awaited<ReturnType<Look>>;
}

import * as pulumi from "@pulumi/pulumi";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import type {
  ReadResourceRequest,
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import * as runtimeState from "@pulumi/pulumi/runtime/state";

import { UserError } from "../errors";
import { type Notice, type RecordedResource, type Recording, sortedBy } from "./recording";
import { type RequestedResource, read, registered } from "./request";
import { collectingErrors } from "./stray";
import { describe } from "./values";

/** For which stack a program is evaluated, and how. */
export interface EvaluateOptions {
  /** @default "mlplatform" */
  readonly project?: string;
  readonly stack: string;
  /** Keys in full, `mlplatform:context`; an object is JSON. */
  readonly config: Readonly<Record<string, string>>;
  /** The keys of `config` whose values are secrets, or places below them: `mlplatform:database.password`. @default none */
  readonly secretKeys?: readonly string[];
  /**
   * Whether what only a deployment can tell is unknown, as in `pulumi preview`. If not, ids and generated
   * secrets are made up, so that all of the program runs.
   * @default true
   */
  readonly preview?: boolean;
  /** Records the values of secrets, not {@link markers}. For tests, whose secrets are made up. @default false */
  readonly reveal?: boolean;
}

/** The little that the SDK asks of the engine itself, in this process. */
interface Engine {
  log(request: LogRequest, done: () => void): void;
  setRootResource(request: unknown, done: (error: unknown, response: unknown) => void): void;
}

/** What the SDK reads of the engine's answer to a request for a resource. */
interface Answer {
  getUrn(): string;
  getId(): string;
  getObject(): { toJavaScript(): unknown };
  getPropertydependenciesMap(): undefined;
  getResult(): number;
}

/** Parts of the SDK's runtime that its types leave out; its own Automation API uses them the same way. */
const { withLocalStorage } = runtimeState as unknown as {
  readonly withLocalStorage: <T>(work: () => Promise<T>) => Promise<T>;
};

/**
 * Runs the program with Pulumi's own runtime, without an engine, a provider or a cluster, and records all that it
 * asks for. What a resource was asked to be is known, as in `pulumi preview`; what only its provider can tell is not.
 *
 * @throws Error what the program threw; an AggregateError if several parts of it failed.
 */
export function evaluate(program: () => unknown, options: EvaluateOptions): Promise<Recording> {
  return withLocalStorage(() => new Evaluation(options).run(program));
}

class Evaluation {
  private readonly preview: boolean;
  private readonly requests: RequestedResource[] = [];
  private readonly urns = new Set<string>();
  private readonly notices: Notice[] = [];
  private readonly loggedErrors: string[] = [];
  private outputs: unknown = {};
  /** What the program passed to each resource, before the SDK serialised it. */
  private readonly passed = new Map<pulumi.Resource, Readonly<Record<string, unknown>>>();

  constructor(private readonly options: EvaluateOptions) {
    this.preview = options.preview ?? true;
  }

  async run(program: () => unknown): Promise<Recording> {
    const { stack, config, secretKeys = [], project = "mlplatform", reveal = false } = this.options;
    await pulumi.runtime.setMocks(
      { call: refuse, newResource: ({ id, inputs }) => ({ id, state: inputs as Record<string, unknown> }) },
      project,
      stack,
      this.preview,
    );
    pulumi.runtime.setAllConfig(config, [...secretKeys]);
    const store = globalThis.asyncLocalStorage.getStore() as { settings: { engine: Engine } };
    store.settings.engine = {
      log: this.log.bind(this),
      setRootResource: (_, done) => {
        done(null, {});
      },
    };
    this.listen(pulumi.runtime.getMonitor() as unknown as MockMonitor);

    const returned = await collectingErrors(async () => {
      let result: unknown;
      // The stack waits for its outputs, disconnect for every registration that is still under way.
      await pulumi.runtime.runInPulumiStack(async () => {
        this.watchArguments();
        result = await program();
        return result;
      });
      await pulumi.runtime.disconnect();
      if (this.loggedErrors.length > 0) throw new UserError(this.loggedErrors.join("\n"));
      return result;
    });

    const resources = await this.recorded(reveal);
    const { value, secretPaths } = await describe(this.outputs, returned, reveal);
    return { project, stack, resources, outputs: value, secretOutputs: secretPaths, notices: this.notices };
  }

  /** Reads each request on its way to the mocks, which are told neither parent nor dependencies nor options. */
  private listen(monitor: MockMonitor): void {
    // The SDK's own leaves out the types of all but the parent, and such a URN is not the engine's.
    Object.assign(monitor, { newUrn: this.urn.bind(this) });
    // The SDK's own makes every value a message of the engine's protocol and reads it again, three times over.
    monitor.registerResource = (request: RegisterResourceRequest, callback) => {
      const asked = registered(request, this.urn(request.getParent(), request.getType(), request.getName()));
      if (this.urns.has(asked.urn))
        this.loggedErrors.push(
          `two resources of type ${asked.type} are named ${asked.name}: Pulumi takes one.`,
        );
      this.urns.add(asked.urn);
      this.requests.push(asked);
      callback(null, this.answer(request, asked));
      return Promise.resolve();
    };
    const readResource = monitor.readResource.bind(monitor);
    monitor.readResource = (request: ReadResourceRequest, callback) =>
      readResource(request, (error: unknown, response: { getUrn(): string } | undefined) => {
        if (response !== undefined) this.requests.push(read(request, response.getUrn()));
        callback(error, response);
      });
    monitor.registerResourceOutputs = (request: RegisterResourceOutputsRequest, callback) => {
      if (request.getUrn().split("::")[2] === pulumi.runtime.rootPulumiStackTypeName)
        this.outputs = request.getOutputs()?.toJavaScript() ?? {};
      callback(null, {});
    };
  }

  /** A URN as the engine makes it: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
  private urn(parent: string, type: string, name: string): string {
    const { project = "mlplatform", stack } = this.options;
    const parentType = parent.split("::")[2] ?? "";
    const top = parentType === "" || parentType === pulumi.runtime.rootPulumiStackTypeName;
    return `urn:pulumi:${stack}::${project}::${top ? type : `${parentType}$${type}`}::${name}`;
  }

  /** A transformation that changes nothing: it is where the SDK shows what the program passed. */
  private watchArguments(): void {
    pulumi.runtime.registerStackTransformation(({ resource, props }) => {
      this.passed.set(resource, props);
      return undefined;
    });
  }

  /**
   * What the provider would answer: Kubernetes', random's and Docker's answer a preview with the inputs, and the
   * SDK takes every output that is missing for unknown.
   */
  private answer(request: RegisterResourceRequest, { name, urn, sent }: RequestedResource): Answer {
    const state = { ...sent };
    for (const output of request.getAdditionalsecretoutputsList())
      state[output] ??= secretValue(this.preview ? pulumi.runtime.unknownValue : `made-up-${name}-${output}`);
    const madeUp = request.getCustom() && !this.preview ? `${name}-id` : "";
    const success = 0;
    return {
      getUrn: () => urn,
      getId: () => request.getImportid() || madeUp,
      getObject: () => ({ toJavaScript: () => state }),
      getPropertydependenciesMap: () => undefined,
      getResult: () => success,
    };
  }

  private log(request: LogRequest, done: () => void): void {
    const [info, warning, error] = [1, 2, 3];
    const severity: number = request.getSeverity();
    const message = request.getMessage();
    if (severity === error) this.loggedErrors.push(message);
    if ((severity === info || severity === warning) && !request.getEphemeral())
      this.notices.push({ severity: severity === info ? "info" : "warning", message, urn: request.getUrn() });
    done();
  }

  private async recorded(reveal: boolean): Promise<RecordedResource[]> {
    const passed = new Map<string, Readonly<Record<string, unknown>>>();
    for (const [resource, props] of this.passed)
      passed.set(await new Promise<string>((resolve) => resource.urn.apply(resolve)), props);
    const resources = this.requests
      .filter(({ type }) => type !== pulumi.runtime.rootPulumiStackTypeName)
      .map(async ({ sent, ...resource }) => {
        const { value, secretPaths } = await describe(sent, passed.get(resource.urn), reveal);
        return { ...resource, inputs: value as Record<string, unknown>, secretPaths };
      });
    return sortedBy(await Promise.all(resources), ({ type, name, urn }) => `${type} ${name} ${urn}`);
  }
}

function secretValue(value: string): Record<string, unknown> {
  const { specialSigKey, specialSecretSig } = pulumi.runtime;
  return { [specialSigKey]: specialSecretSig, value };
}

/** A provider's function has its answer from a provider, and often from a cluster; here there is neither. */
function refuse({ token }: { token: string }): never {
  const details = `The program called ${token}, a function of a provider, and no provider is there to answer it.`;
  // Pulumi takes an error from its engine for gRPC's, whose text is in "details".
  throw Object.assign(new Error(details), { details });
}

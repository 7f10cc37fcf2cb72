import type { Policies } from "@pulumi/policy";
import * as server from "@pulumi/policy/server";
import * as pulumi from "@pulumi/pulumi";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A resource as the engine holds it. */
export interface EngineResource {
  readonly type: string;
  readonly name: string;
  /** As they are serialised: see {@link secret} and {@link unknown}. */
  readonly inputs: Record<string, unknown>;
  /** @default the inputs */
  readonly outputs?: Record<string, unknown>;
  readonly protect?: boolean;
}

/** What a policy has reported. */
export interface Violation {
  readonly policy: string;
  /** Empty for the resource that was asked about. */
  readonly urn: string;
  readonly level: "advisory" | "mandatory" | "remediate";
  readonly message: string;
}

type Rpc<Request, Response> = (
  call: { readonly request: Request },
  done: (error: unknown, response: Response | undefined) => void,
) => void;
type Serve<Request, Response> = (
  pack: string,
  version: string,
  level: string,
  policies: Policies,
) => Rpc<Request, Response>;

/** The functions of @pulumi/policy that answer the engine; its types leave them out. */
const { makeAnalyzeRpcFun, makeAnalyzeStackRpcFun, makeRemediateRpcFun } = server as unknown as {
  readonly makeAnalyzeRpcFun: Serve<analyzer.AnalyzeRequest, analyzer.AnalyzeResponse>;
  readonly makeAnalyzeStackRpcFun: Serve<analyzer.AnalyzeStackRequest, analyzer.AnalyzeResponse>;
  readonly makeRemediateRpcFun: Serve<analyzer.AnalyzeRequest, analyzer.RemediateResponse>;
};

export const unknown = pulumi.runtime.unknownValue;

/** A secret on its way to a policy pack. */
export function secret(value: unknown): Record<string, unknown> {
  const { specialSigKey, specialSecretSig } = pulumi.runtime;
  return { [specialSigKey]: specialSecretSig, value };
}

export function urnOf({ type, name }: EngineResource, stack = "dev"): string {
  return `urn:pulumi:${stack}::mlplatform::${type}::${name}`;
}

/** Asks a policy pack about resources as the engine does: first one by one, then about all of them. */
export class Engine {
  constructor(
    private readonly policies: Policies,
    private readonly stack = "dev",
  ) {}

  /** The number of changes that the policies make to a resource. */
  async remediate(resource: EngineResource): Promise<number> {
    const remediate = makeRemediateRpcFun("pack", "1", "advisory", this.policies);
    return (await answer(remediate, this.request(resource))).getRemediationsList().length;
  }

  async analyze(resource: EngineResource): Promise<Violation[]> {
    const analyze = makeAnalyzeRpcFun("pack", "1", "advisory", this.policies);
    return violations(await answer(analyze, this.request(resource)));
  }

  async analyzeStack(resources: readonly EngineResource[]): Promise<Violation[]> {
    const analyze = makeAnalyzeStackRpcFun("pack", "1", "advisory", this.policies);
    const request = new analyzer.AnalyzeStackRequest();
    request.setResourcesList(
      resources.map((resource) => {
        const one = new analyzer.AnalyzerResource();
        this.fill(one, resource, resource.outputs ?? resource.inputs);
        return one;
      }),
    );
    return violations(await answer(analyze, request));
  }

  /** All of it, in the order of a deployment. */
  async deploy(resources: readonly EngineResource[]): Promise<Violation[]> {
    const found: Violation[] = [];
    for (const resource of resources) {
      await this.remediate(resource);
      found.push(...(await this.analyze(resource)));
    }
    return [...found, ...(await this.analyzeStack(resources))];
  }

  private request(resource: EngineResource): analyzer.AnalyzeRequest {
    const request = new analyzer.AnalyzeRequest();
    this.fill(request, resource, resource.inputs);
    return request;
  }

  private fill(
    message: analyzer.AnalyzeRequest | analyzer.AnalyzerResource,
    resource: EngineResource,
    properties: Record<string, unknown>,
  ): void {
    message.setType(resource.type);
    message.setName(resource.name);
    message.setUrn(urnOf(resource, this.stack));
    message.setProperties(Struct.fromJavaScript(properties as Parameters<typeof Struct.fromJavaScript>[0]));
    const options = new analyzer.AnalyzerResourceOptions();
    options.setProtect(resource.protect === true);
    message.setOptions(options);
  }
}

function answer<Request, Response>(rpc: Rpc<Request, Response>, request: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    rpc({ request }, (error, response) => {
      if (error instanceof Error || response === undefined) reject(new Error(String(error)));
      else resolve(response);
    });
  });
}

function violations(response: analyzer.AnalyzeResponse): Violation[] {
  const levels = {
    [analyzer.EnforcementLevel.ADVISORY]: "advisory",
    [analyzer.EnforcementLevel.MANDATORY]: "mandatory",
    [analyzer.EnforcementLevel.REMEDIATE]: "remediate",
  } as Readonly<Record<number, Violation["level"]>>;
  return response.getDiagnosticsList().map((diagnostic) => ({
    policy: diagnostic.getPolicyname(),
    urn: diagnostic.getUrn(),
    level: levels[diagnostic.getEnforcementlevel()] ?? "advisory",
    // The library puts the policy's description before what the policy has said.
    message: diagnostic.getMessage().split("\n").slice(1).join("\n"),
  }));
}

import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

/** One resource as the engine would be asked for it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  /** The parent's URN; empty for the stack itself. */
  readonly parent: string;
  /** The URN and id of an explicit provider; empty if the default provider would be used. */
  readonly provider: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Recording {
  /** Everything but the stack itself, ordered by type and name. */
  readonly resources: readonly RecordedResource[];
  readonly outputs: unknown;
}

/** Runs the program to its end against mocks. A call of any provider function is an error. */
export async function record(program: () => unknown, config: Record<string, string>): Promise<Recording> {
  const resources: RecordedResource[] = [];
  await pulumi.runtime.setMocks(
    {
      call: ({ token }) => {
        const details = `The program called ${token}, which no test expects.`;
        // Pulumi takes an error from its engine for gRPC's, whose text is in "details".
        throw Object.assign(new Error(details), { details });
      },
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs as Record<string, unknown> }),
    },
    "mlplatform",
    "test",
  );
  pulumi.runtime.setAllConfig(config);

  // Pulumi's mocks are not told the parent, so the request is read on its way to them.
  const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request: RegisterResourceRequest, callback) => {
    resources.push({
      type: request.getType(),
      name: request.getName(),
      parent: request.getParent(),
      provider: request.getProvider(),
      inputs: request.getObject()?.toJavaScript() ?? {},
    });
    return register(request, callback);
  };

  // The stack waits for its outputs, disconnect for every registration that is still under way.
  const outputs: unknown = await pulumi.runtime.runInPulumiStack(() => Promise.resolve(program()));
  await pulumi.runtime.disconnect();

  const key = ({ type, name }: RecordedResource) => `${type} ${name}`;
  return {
    resources: resources
      .filter(({ type }) => type !== pulumi.runtime.rootPulumiStackTypeName)
      .sort((a, b) => (key(a) < key(b) ? -1 : 1)),
    outputs,
  };
}

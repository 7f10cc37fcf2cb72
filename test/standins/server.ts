/** The engine's protocol: one gRPC server for each provider. */
import * as grpc from "@grpc/grpc-js";
import * as rpc from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import * as pluginMessages from "@pulumi/pulumi/proto/plugin_pb";
import * as statusMessages from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import type { CallObserver } from "./backend";
import { InitError, type Known, type Provider, type Resource } from "./provider";
import { type Values, changedKeys } from "./values";

type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;

/** Starts a server for the provider. @returns its port on this machine. */
export function serve(provider: Provider, observer: CallObserver): Promise<number> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(rpc.ResourceProviderService, service(provider, observer));
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

function service(provider: Provider, observer: CallObserver): grpc.UntypedServiceImplementation {
  const observed = async <T>(verb: "create" | "update" | "delete", known: Known, work: () => Promise<T>) => {
    const label = provider.label(known, known.inputs);
    const number = await observer.began({ verb, label, urn: known.urn });
    try {
      const result = await work();
      await observer.ended(number);
      return result;
    } catch (error) {
      await observer.ended(number, error instanceof Error ? error.message : String(error));
      throw error;
    }
  };

  return {
    attach: unary(() => new Empty()),
    cancel: unary(() => {
      provider.cancel?.();
      return new Empty();
    }),
    getPluginInfo: unary(() => new pluginMessages.PluginInfo().setVersion(provider.version)),
    getSchema: unary(() => new messages.GetSchemaResponse().setSchema("{}")),
    checkConfig: unary((request: messages.CheckRequest) =>
      new messages.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: unary((request: messages.DiffRequest) => {
      const changes = changedKeys(values(request.getOldInputs()), values(request.getNews()));
      return difference(changes, []);
    }),
    configure: unary((request: messages.ConfigureRequest) => {
      provider.configure?.(values(request.getArgs()));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),
    check: unary((request: messages.CheckRequest) => {
      const olds = request.getOlds();
      const inputs = provider.check(resource(request), values(request.getNews()), olds && values(olds));
      return new messages.CheckResponse().setInputs(struct(inputs));
    }),
    diff: unary(async (request: messages.DiffRequest) => {
      const inputs = values(request.getOldInputs());
      const outputs = values(request.getOlds());
      const known = { ...resource(request), id: request.getId(), inputs, outputs };
      const found = await provider.diff(known, values(request.getNews()));
      return difference(found.changes, found.replaces, found.deleteBeforeReplace);
    }),
    create: unary(async (request: messages.CreateRequest) => {
      const inputs = values(request.getProperties());
      const known = { ...resource(request), id: "", inputs, outputs: {} };
      const response = new messages.CreateResponse();
      if (request.getPreview()) return response.setProperties(struct(provider.preview(known, inputs)));
      const { id, outputs } = await observed("create", known, () => provider.create(known, inputs));
      return response.setId(id).setProperties(struct(outputs));
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const inputs = values(request.getOldInputs());
      const outputs = values(request.getOlds());
      const known = { ...resource(request), id: request.getId(), inputs, outputs };
      const news = values(request.getNews());
      const response = new messages.UpdateResponse();
      if (request.getPreview()) return response.setProperties(struct(provider.preview(known, news)));
      const updated = await observed("update", known, () => provider.update(known, news));
      return response.setProperties(struct(updated));
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      const inputs = values(request.getOldInputs());
      const known = {
        ...resource(request),
        id: request.getId(),
        inputs,
        outputs: values(request.getProperties()),
      };
      await observed("delete", known, () => provider.remove(known));
      return new Empty();
    }),
    read: unary(async (request: messages.ReadRequest) => {
      const inputs = values(request.getInputs());
      const outputs = values(request.getProperties());
      const live = await provider.read({ ...resource(request), id: request.getId(), inputs, outputs });
      const response = new messages.ReadResponse();
      if (live === undefined) return response;
      return response.setId(live.id).setInputs(struct(live.inputs)).setProperties(struct(live.outputs));
    }),
  };
}

function difference(
  changes: readonly string[],
  replaces: readonly string[],
  deleteBeforeReplace = false,
): messages.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse();
  response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...changes]);
  response.setReplacesList([...replaces]);
  response.setDeletebeforereplace(deleteBeforeReplace);
  return response;
}

/** `urn:pulumi:STACK::PROJECT::PARENTS$TYPE::NAME` */
function resource(request: { getUrn(): string }): Resource {
  const urn = request.getUrn();
  const [, , types = "", ...name] = urn.split("::");
  return { urn, type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

function values(message: Struct | undefined): Values {
  return message?.toJavaScript() ?? {};
}

function struct(properties: Values): Struct {
  // By way of JSON, since a property that is undefined has no form of its own.
  return Struct.fromJavaScript(
    JSON.parse(JSON.stringify(properties)) as Parameters<typeof Struct.fromJavaScript>[0],
  );
}

function unary<Request, Response>(
  handler: Handler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(failure(error));
        },
      );
  };
}

function failure(error: unknown): grpc.ServiceError | Partial<grpc.StatusObject> {
  const message = error instanceof Error ? error.message : String(error);
  const metadata = new grpc.Metadata();
  if (error instanceof InitError) {
    const detail = new messages.ErrorResourceInitFailed();
    detail.setId(error.id);
    detail.setProperties(struct(error.outputs));
    detail.setReasonsList([message]);
    const any = new Any();
    any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new statusMessages.Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(message);
    status.addDetails(any);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}

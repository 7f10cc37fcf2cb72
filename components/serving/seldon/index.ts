import type * as pulumi from "@pulumi/pulumi";

import type { ModelNamespace } from "../modelNamespace";
import type { ModelArgs, ModelServer, ServedModel } from "../modelServer";
import { ModelDeployment } from "./modelDeployment";
import type { ServingOperator } from "./servingOperator";

/** Seldon Core: a model is a SeldonDeployment, of which the operator makes pods. */
export class SeldonCore implements ModelServer {
  constructor(
    private readonly operator: ServingOperator,
    private readonly namespace: ModelNamespace,
    /** Envoy's; none where Istio splits the requests. */
    private readonly splitterImage: string | undefined,
  ) {}

  serve(name: string, model: ModelArgs, opts: pulumi.ComponentResourceOptions): ServedModel {
    const { namespace, storageSecret, serverFiles } = this.namespace;
    const { splitterImage } = this;
    const after = [this.operator, this.namespace, ...model.after];
    const place = { namespace, storageSecret, serverFiles: serverFiles?.name, splitterImage };
    return new ModelDeployment(name, { ...model, ...place, after }, opts);
  }
}

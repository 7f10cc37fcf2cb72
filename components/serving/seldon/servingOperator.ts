import { createHash } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import {
  type ImagePin,
  imageParts,
  imageReference,
  images,
  seldonChart,
  seldonChartName,
  seldonImages,
  type SeldonVersion,
  seldonVersions,
} from "../../../pins";
import { runOnce } from "../../job";
import { ownership } from "../../kubernetes";
import { type ChartArgs, installChart } from "../../release";
import { mergeValues } from "../../values";

export interface ServingOperatorArgs extends ChartArgs {
  /** Version of Seldon Core. From 1.18 on it is under the Business Source License. */
  version: SeldonVersion;
  /** That the user knows the licence of a version from 1.18 on. */
  licenceAcknowledged: boolean;
  /**
   * Who makes the webhook's certificate: cert-manager, which renews it and has to be in the cluster, or the chart, for
   * 365 days from each change of its values.
   */
  certificate: "chart" | "cert-manager";
  /** Raised to have the chart make a new certificate. */
  certificateSerial: number;
  /**
   * Whether the definition of SeldonDeployments outlives the operator, and with it every SeldonDeployment of the
   * cluster, whoever made it.
   * @default false
   */
  keepDefinitions?: boolean;
  /** namespace/name of an Istio gateway; with it Seldon splits traffic. */
  istioGateway?: string | undefined;
}

/** The user of the image that asks whether the webhook answers. */
const curlUser = 100;

/**
 * Seldon Core's operator, which turns SeldonDeployments into pods and Services. One for the whole cluster: the names
 * of what its chart makes are fixed.
 *
 * Who depends on this component finds a webhook that answers. Helm takes the operator for ready before it listens, and
 * the first SeldonDeployment would be refused (SeldonIO/seldon-core#669).
 */
export class ServingOperator extends pulumi.ComponentResource {
  public readonly version: SeldonVersion;

  constructor(name: string, args: ServingOperatorArgs, opts?: pulumi.ComponentResourceOptions) {
    const { version, licenceAcknowledged } = args;
    const { licence } = seldonVersions[version];
    // Registered as inputs, where a policy finds them.
    super("mlplatform:serving:ServingOperator", name, { version, licence, licenceAcknowledged }, opts);
    this.version = version;

    if (licence !== "Apache-2.0") {
      void pulumi.log.warn(
        `Seldon Core ${version} is under ${licence}: production use needs a licence from Seldon, except for ` +
          "non-profit education. 1.17.1 is the last version under Apache-2.0.",
        this,
      );
    }
    const values = chartValues(args);
    // The chart makes a certificate at every upgrade. Without a new pod the operator would go on with the old one
    // until the kubelet has passed the new one on, and the API server would take neither of them for the other.
    const revision = digest([version, args.certificateSerial, values, args.values]);
    const release = installChart(
      `${name}-release`,
      seldonChartName,
      seldonChart(version),
      args,
      mergeValues(values, { manager: { annotations: { "mlplatform/revision": revision } } }),
      { parent: this },
    );
    this.awaitWebhook(name, args, release, revision);
    this.registerOutputs({ version });
  }

  /** Offers the API server a SeldonDeployment, as a trial, until it is accepted. */
  private awaitWebhook(
    name: string,
    args: ServingOperatorArgs,
    release: pulumi.Resource,
    revision: string,
  ): void {
    const own = { parent: this };
    const metadata = { name: "seldon-webhook-check", namespace: args.namespace, labels: ownership };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-check-account`,
      { metadata, automountServiceAccountToken: false },
      own,
    );
    const role = new k8s.rbac.v1.Role(
      `${name}-check-role`,
      {
        metadata,
        rules: [
          { apiGroups: ["machinelearning.seldon.io"], resources: ["seldondeployments"], verbs: ["create"] },
        ],
      },
      own,
    );
    const binding = new k8s.rbac.v1.RoleBinding(
      `${name}-check-binding`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace: args.namespace }],
      },
      own,
    );
    const url = pulumi.interpolate`https://kubernetes.default.svc/apis/machinelearning.seldon.io/v1/namespaces/${args.namespace}/seldondeployments?dryRun=All`;
    runOnce(
      `${name}-check`,
      {
        namespace: args.namespace,
        jobName: "seldon-webhook-check",
        image: imageReference(images.curl, args.mirror),
        command: ["/bin/sh", "-c", webhookCheck],
        env: [
          { name: "URL", value: url },
          { name: "TRIAL", value: trial },
          // Another revision is checked again: a Job whose pod differs is run anew.
          { name: "REVISION", value: revision },
        ],
        user: curlUser,
        resources: { cpu: "10m", memory: "16Mi", memoryLimit: "64Mi" },
        role: "seldon-webhook-check",
        serviceAccountName: account.metadata.name,
      },
      { parent: this, dependsOn: [release, binding] },
    );
  }
}

const webhookCheck = [
  "cd /var/run/secrets/kubernetes.io/serviceaccount",
  "exec curl --silent --show-error --fail-with-body --max-time 10 --output /dev/null" +
    " --retry 100 --retry-delay 1 --retry-all-errors" +
    ' --cacert ca.crt --header "Authorization: Bearer $(cat token)" --header "Content-Type: application/json"' +
    ' --data "$TRIAL" "$URL"',
].join("\n");

const trial = JSON.stringify({
  apiVersion: "machinelearning.seldon.io/v1",
  kind: "SeldonDeployment",
  metadata: { name: "webhook-check" },
  spec: {
    predictors: [
      {
        name: "default",
        graph: { name: "model", type: "MODEL" },
        componentSpecs: [{ spec: { containers: [{ name: "model", image: "none:1" }] } }],
      },
    ],
  },
});

function digest(settings: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
}

function chartValues(args: ServingOperatorArgs) {
  const { operator, executor, storageInitializer } = seldonImages(args.version);
  const image = (pin: ImagePin) => {
    const { registry, path, tag } = imageParts(pin, args.mirror);
    return { registry, repository: path, tag };
  };
  const mlserver = (pin: ImagePin) => {
    const { registry, path, tag } = imageParts(pin, args.mirror);
    return { protocols: { v2: { image: `${registry}/${path}`, defaultImageVersion: tag } } };
  };
  return {
    // It would report to Seldon, over plain HTTP, with an image that is gone.
    usageMetrics: { enabled: false },
    image: image(operator),
    manager: { cpuRequest: "50m", memoryRequest: "128Mi", memoryLimit: "300Mi" },
    executor: {
      image: image(executor),
      // The chart's are 500m and 512Mi for each pod of each model; measured are 20m and 30Mi.
      resources: { cpuRequest: "50m", cpuLimit: "500m", memoryRequest: "64Mi", memoryLimit: "256Mi" },
    },
    storageInitializer: {
      image: imageReference(storageInitializer, args.mirror),
      cpuRequest: "50m",
      memoryRequest: "64Mi",
    },
    predictor_servers: {
      SKLEARN_SERVER: mlserver(images.mlserverSklearn),
      XGBOOST_SERVER: mlserver(images.mlserverXgboost),
      MLFLOW_SERVER: mlserver(images.mlserverMlflow),
    },
    certManager: { enabled: args.certificate === "cert-manager" },
    // It is among the chart's templates, so that upgrades renew it, and Helm removes it with the release.
    crd: { annotations: args.keepDefinitions === true ? { "helm.sh/resource-policy": "keep" } : {} },
    istio:
      args.istioGateway === undefined ? { enabled: false } : { enabled: true, gateway: args.istioGateway },
  };
}

import type { PlatformConfig } from "../../config";
import { seldonChart, seldonChartName } from "../../pins";
import { by, chartNames, fixed, only, port } from "../fixedValues";
import { type ChartResources, type Footprint } from "../footprint";
import { anywhere, egress, from, ingress, portOf, tcp, within } from "../namespaces/flows";
import { jobRoles, roleLabel } from "../roles";
import { isSplit, splitterLabels, splitterPorts } from "./splitter/splits";

const keys: ChartResources["keys"] = [["cpuRequest"], ["memoryRequest"], ["memoryLimit"]];
const operatorMetrics = 8080;
const apiServerPorts = [443, 6443, 8443];
/** Of Seldon's executor, and of a model without one. */
const modelPorts = [8000, 5001, 9000, 9500];

export const serving = {
  namespaces: {
    // `baseline`: the chart renders `manager.containerSecurityContext` one level too high, where the API server refuses
    // it, so the manager keeps its capabilities.
    servingOperator: {
      name: "seldon-system",
      level: "baseline",
      metrics: [operatorMetrics],
      flows: ({ serving: { values } }) => ({
        // The API server is no pod: it calls from a node's address.
        webhook: ingress({ peers: anywhere, ports: [webhookPort(values)] }),
        "to-api-server": egress({ peers: anywhere, ports: apiServerPorts }),
      }),
    },
    // `baseline`: the executor that Seldon adds to each model's pod keeps its capabilities; no setting drops them.
    models: {
      name: "ml-models",
      level: "baseline",
      ports: modelPorts,
      // What models are there for: whoever is in the cluster may ask, the API server's proxy too.
      clients: "everyone",
      uses: ["objectStore"],
      // MLflow asks nobody who he is, and has all data and models: nothing that serves people is to reach it.
      jobs: { roles: Object.values(jobRoles), use: ["tracking"] },
      // The containers of a graph have consecutive ones.
      metrics: [6000, 6001, 6002, 6003, 8000, splitterPorts.health],
      flows: ({ serving: { istio }, models }) => ({
        ...trainingData(models),
        ...(models.some((model) => isSplit(model, { istio })) ? splitterFlows : {}),
        ...(istio === undefined
          ? {}
          : { "from-gateway": ingress(from(istio.gateway.split("/")[0] ?? "", modelPorts)) }),
      }),
    },
  },
  titles: {
    "mlplatform:serving:ServingOperator": () => "Seldon operator",
    "mlplatform:serving:ModelNamespace": () => "model namespace",
    "mlplatform:serving:AnswersJob": ({ model, version }) =>
      `answers of ${String(model)} version ${String(version)}`,
    "mlplatform:serving:Splitter": ({ model }) => `splitter of ${String(model)}`,
    "mlplatform:serving:ModelDeployment": ({ model }) => `model ${String(model)}`,
  },
  installs: ({ serving: its }) => (its === undefined ? [] : [seldonChart(its.version)]),
  charts: {
    [seldonChartName]: {
      section: "serving",
      resources: [
        { at: ["manager"], keys },
        { at: ["executor", "resources"], keys, elsewhere: true },
      ],
      clusterWide: [
        { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" },
        { group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
        { group: "rbac.authorization.k8s.io", resource: "clusterrolebindings" },
        { group: "rbac.authorization.k8s.io", resource: "clusterroles" },
      ],
      fixed: [
        ...chartNames(seldonChartName),
        ...by("serving.certificate", ["certManager"]),
        ...by("serving.istio", ["istio"]),
        ...by("objectStore", ["credentials"], ["predictiveUnit", "defaultEnvSecretRefName"]),
        { at: ["webhook", "port"], why: "it must be a port, from 1 to 65535", harmless: isPort },
        port(["metrics", "port"], operatorMetrics),
        ...["singleNamespace", "controllerId"].map((key) => ({
          at: [key],
          why: "models are in another namespace than the operator",
          harmless: only(false, ""),
        })),
        ...fixed(
          "models are reached on these ports, and the network policies open them",
          "executor.port",
          "predictiveUnit.httpPort",
          "predictiveUnit.grpcPort",
          "predictiveUnit.metricsPortName",
          "executor.metricsPortName",
        ),
        ...fixed(
          "the platform finds what the operator makes by its names",
          "managerCreateResources",
          "manager.deploymentNameAsPrefix",
        ),
        ...["crd.create", "rbac.create", "rbac.configmap.create", "serviceAccount.create"].map((key) => ({
          at: key.split("."),
          why: "without it the operator makes no model",
          harmless: only(true),
        })),
        ...["managerUserID", "executor.user", "defaultUserID"].map((key) => ({
          at: key.split("."),
          why: "its pods run as a user without rights",
          harmless: (value: unknown) => Number(value) > 0,
        })),
      ],
    },
  },
  prerequisites: [
    {
      name: "cert-manager",
      group: "cert-manager.io",
      needed: ({ isOn }) => isOn("certManager"),
      setting: "serving.certificate: cert-manager",
      link: "https://cert-manager.io/docs/installation/helm/",
      severity: "error",
    },
    {
      name: "Istio",
      group: "networking.istio.io",
      needed: ({ isOn }) => isOn("istio"),
      setting: "serving.istio",
      link: "https://istio.io/latest/docs/setup/install/",
      severity: "error",
    },
    {
      name: "metrics-server",
      group: "metrics.k8s.io",
      needed: ({ inPredictors }) => inPredictors("hpaSpec"),
      setting: "models[].autoscaling",
      link: "https://github.com/kubernetes-sigs/metrics-server",
      // The models run without it, with as many pods as there are.
      severity: "warning",
    },
  ],
} as const satisfies Footprint;

/** Some networks let the API server reach few ports of a pod, so it may be another than the chart's. */
function webhookPort(values: PlatformConfig["serving"]["values"]): number {
  const { port: given } = (values["webhook"] ?? {}) as { readonly port?: unknown };
  return isPort(given) ? Number(given) : 4443;
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
}

/** Lets splitters, and nothing else, ask the models of their own namespace; the API server asks what they have counted. */
const splitterFlows = {
  "splitter-counts": {
    ...ingress({ peers: anywhere, ports: [splitterPorts.health] }),
    podSelector: { matchLabels: splitterLabels },
  },
  "splitter-to-models": {
    podSelector: { matchLabels: splitterLabels },
    policyTypes: ["Egress"],
    egress: [{ to: [within], ports: tcp(modelPorts) }],
  },
};

/** Lets trainings, and nothing else, read data from the web. */
function trainingData(models: PlatformConfig["models"]) {
  const ports = [
    ...new Set(
      models.flatMap(({ training }) =>
        /^https?:/.test(training?.data ?? "") ? [portOf(training?.data)] : [],
      ),
    ),
  ].sort((a, b) => a - b);
  if (ports.length === 0) return {};
  return {
    "training-data": {
      podSelector: { matchLabels: { [roleLabel]: jobRoles.training } },
      policyTypes: ["Egress"],
      egress: [{ to: [...anywhere], ports: tcp(ports) }],
    },
  };
}

/**
 * Who may talk to whom: the network policies, as one table. All else is denied, in both directions.
 *
 * A cluster whose network plugin knows no policies accepts and ignores them.
 */
import type * as k8s from "@pulumi/kubernetes";

type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

/** The namespaces, by what runs in them. */
export const namespaceNames = {
  database: "postgres",
  objectStore: "minio-system",
  tracking: "mlflow",
  servingOperator: "seldon-system",
  models: "ml-models",
  frontend: "fe",
} as const;

export type NamespaceRole = keyof typeof namespaceNames;

/** What the configuration opens. */
export interface TrafficArgs {
  /** Port of a database outside the cluster. */
  readonly externalDatabasePort?: number | undefined;
  /** Port of an S3 store outside the cluster. */
  readonly externalStorePort?: number | undefined;
  /** Namespace of the ingress controller that leads to the tracking server. */
  readonly ingressNamespace?: string | undefined;
  /** Namespace of Prometheus. */
  readonly monitoringNamespace?: string | undefined;
  /** Namespace of the Istio gateway that leads to models. */
  readonly gatewayNamespace?: string | undefined;
  /** Ports on which trainings read data from the web. */
  readonly webDataPorts: readonly number[];
}

const ports = {
  apiServer: [443, 6443, 8443],
  dns: [53],
  kubernetesWebhook: [4443],
  minio: [9000],
  mlflow: [5000],
  // Of an executor, and of a model without one.
  models: [8000, 5001, 9000, 9500],
  // The containers of a graph have consecutive ones.
  modelMetrics: [6000, 6001, 6002, 6003, 8000],
  operatorMetrics: [8080],
  postgres: [5432],
  postgresMetrics: [9187],
} as const;

interface Flow {
  readonly peers: readonly Peer[];
  readonly ports: readonly number[];
}

/** The name of each policy and what it lets through, by namespace. */
export function allowed(args: TrafficArgs): Record<NamespaceRole, Record<string, Spec>> {
  const database =
    args.externalDatabasePort === undefined
      ? to("database", ports.postgres)
      : { peers: anywhere, ports: [args.externalDatabasePort] };
  const store =
    args.externalStorePort === undefined
      ? to("objectStore", ports.minio)
      : { peers: anywhere, ports: [args.externalStorePort] };
  const scraped = (metrics: readonly number[]) =>
    args.monitoringNamespace === undefined
      ? {}
      : { prometheus: ingress(from(args.monitoringNamespace, metrics)) };
  const through = (other: string | undefined, open: readonly number[], name: string) =>
    other === undefined ? {} : { [name]: ingress(from(other, open)) };

  return {
    database: {
      "from-tracking": ingress(from(namespaceNames.tracking, ports.postgres)),
      ...scraped(ports.postgresMetrics),
    },
    objectStore: {
      "from-clients": ingress(
        from(namespaceNames.tracking, ports.minio),
        from(namespaceNames.models, ports.minio),
        { peers: [within], ports: ports.minio },
      ),
      "set-up": egress({ peers: [within], ports: ports.minio }),
      ...scraped(ports.minio),
    },
    tracking: {
      "from-clients": ingress(
        from(namespaceNames.models, ports.mlflow),
        from(namespaceNames.frontend, ports.mlflow),
      ),
      "to-stores": egress(database, store),
      ...through(args.ingressNamespace, ports.mlflow, "from-ingress"),
      ...scraped(ports.mlflow),
    },
    servingOperator: {
      // The API server is no pod: it calls from a node's address.
      webhook: ingress({ peers: anywhere, ports: ports.kubernetesWebhook }),
      "to-api-server": egress({ peers: anywhere, ports: ports.apiServer }),
      ...scraped(ports.operatorMetrics),
    },
    models: {
      // What models are there for: whoever is in the cluster may ask, the API server's proxy too.
      predictions: ingress({ peers: [...anywhere, anyPod], ports: ports.models }),
      "to-platform": egress(to("tracking", ports.mlflow), store),
      ...(args.webDataPorts.length > 0 ? { "training-data": dataFromWeb(args.webDataPorts) } : {}),
      ...through(args.gatewayNamespace, ports.models, "from-gateway"),
      ...scraped(ports.modelMetrics),
    },
    frontend: {
      "to-platform": egress(to("models", ports.models), to("tracking", ports.mlflow)),
    },
  };
}

/** Nothing in, nothing out but questions for addresses. */
export const denied: Spec = {
  podSelector: {},
  policyTypes: ["Ingress", "Egress"],
  egress: [
    {
      to: [{ namespaceSelector: named("kube-system") }],
      ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 })),
    },
  ],
};

/** Addresses outside the cluster. For some network plugins pods are not among them. */
const anywhere: readonly Peer[] = ["0.0.0.0/0", "::/0"].map((cidr) => ({ ipBlock: { cidr } }));
const anyPod: Peer = { namespaceSelector: {} };
const within: Peer = { podSelector: {} };

/** Trainings alone. */
function dataFromWeb(open: readonly number[]): Spec {
  return {
    podSelector: { matchLabels: { "app.kubernetes.io/component": "training" } },
    policyTypes: ["Egress"],
    egress: [{ to: [...anywhere], ports: tcp(open) }],
  };
}

function named(name: string) {
  return { matchLabels: { "kubernetes.io/metadata.name": name } };
}

function to(role: NamespaceRole, open: readonly number[]): Flow {
  return { peers: [{ namespaceSelector: named(namespaceNames[role]) }], ports: open };
}

function from(name: string, open: readonly number[]): Flow {
  return { peers: [{ namespaceSelector: named(name) }], ports: open };
}

function ingress(...flows: Flow[]): Spec {
  const rules = flows.map(({ peers, ports: open }) => ({ from: [...peers], ports: tcp(open) }));
  return { podSelector: {}, policyTypes: ["Ingress"], ingress: rules };
}

function egress(...flows: Flow[]): Spec {
  const rules = flows.map(({ peers, ports: open }) => ({ to: [...peers], ports: tcp(open) }));
  return { podSelector: {}, policyTypes: ["Egress"], egress: rules };
}

function tcp(open: readonly number[]) {
  return open.map((port) => ({ protocol: "TCP", port }));
}

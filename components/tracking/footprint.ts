import { charts } from "../../pins";
import { by, chartNames, fixed, only, port } from "../fixedValues";
import { type Footprint, inContainer } from "../footprint";
import { from, ingress } from "../namespaces/flows";

/** How MLflow is reached in the cluster. */
export const trackingAccess = { service: "mlflow", port: 5000 } as const;

const { service, port: number } = trackingAccess;

export const tracking = {
  namespaces: {
    tracking: {
      name: "mlflow",
      level: "restricted",
      service: { name: service, port: number },
      uses: ["database", "objectStore"],
      metrics: [number],
      flows: ({ tracking: { ingress: way } }) =>
        way === undefined ? {} : { "from-ingress": ingress(from(way.namespace, [number])) },
    },
  },
  titles: { "mlplatform:tracking:TrackingServer": () => "MLflow" },
  installs: () => [charts.mlflow],
  charts: {
    [charts.mlflow.name]: {
      section: "tracking",
      resources: [{ at: ["resources"], keys: inContainer }],
      replicas: ["replicaCount"],
      ingress: ["ingress"],
      fixed: [
        ...chartNames(service),
        port(["service", "port"], number),
        port(["service", "containerPort"], number),
        { at: ["service", "enabled"], why: "trainings find it by its Service", harmless: only(true) },
        { at: ["serverHost"], why: "its Service has to reach it", harmless: only("0.0.0.0") },
        ...by("database", ["backendStore"], ["postgresql"], ["mysql"]),
        ...by("objectStore", ["artifactRoot"], ["minio", "enabled"]),
        ...by("tracking.ingress", ["ingress"]),
        ...by("tracking.replicas", ["replicaCount"], ["autoscaling"]),
        ...by("monitoring.enabled", ["serviceMonitor", "enabled"]),
        ...fixed(
          "trainings and the platform's commands send no password",
          ...["auth", "ldapAuth", "oauth2Proxy", "oidcAuth"].map((key) => `${key}.enabled`),
        ),
        ...fixed(
          "trainings, the Service and the probes count on it",
          ...["host", "port", "static-prefix", "app-name"].map((key) => `extraArgs.${key}`),
        ),
      ],
      added: [["serverAllowedHosts"], ["extraVolumes"], ["extraVolumeMounts"]],
    },
  },
} as const satisfies Footprint;

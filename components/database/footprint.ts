import { charts } from "../../pins";
import { by, chartNames, fixed, only, onePod, onVolume, port } from "../fixedValues";
import { type Footprint, inContainer } from "../footprint";
import { postgresAccess } from "./database";

const { service, port: number } = postgresAccess;

export const database = {
  namespaces: {
    database: {
      name: "postgres",
      level: "restricted",
      holdsData: true,
      service: { name: service, port: number },
      outside: ({ database: its }) => (its.kind === "external" ? its.port : undefined),
      metrics: [9187],
    },
  },
  titles: {
    "mlplatform:database:PostgresChart": () => "Postgres",
    "mlplatform:database:ExternalDatabase": () => "database",
  },
  installs: ({ database: its }) => (its?.kind === "postgres" ? [charts.postgres] : []),
  charts: {
    [charts.postgres.name]: {
      section: "database",
      resources: [
        { at: ["resources"], keys: inContainer },
        { at: ["metrics", "resources"], keys: inContainer, where: ["metrics", "enabled"] },
      ],
      replicas: ["replicaCount"],
      volume: ["persistence"],
      fixed: [
        ...chartNames(service),
        port(["service", "port"], number),
        port(["service", "targetPort"], number),
        onePod,
        onVolume,
        ...fixed("the platform makes the passwords and keeps them", "auth"),
        ...fixed(
          "the platform makes MLflow's user and its database",
          "customUser",
          "initdb.scriptsConfigMap",
        ),
        ...fixed("for more than one pod take kind: external", "replication.enabled"),
        ...fixed("the image's own sets up the data and starts the server", "command", "args"),
        ...["whenDeleted", "whenScaled"].map((key) => ({
          at: ["persistentVolumeClaimRetentionPolicy", key],
          why: "the volume would go with the pods, and all data with it",
          harmless: only("Retain"),
        })),
        ...by("monitoring.enabled", ["metrics", "enabled"], ["metrics", "serviceMonitor"]),
      ],
    },
  },
} as const satisfies Footprint;

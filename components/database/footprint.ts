import { charts } from "../../pins";
import { by, chartNames, onePod, onVolume, port } from "../fixedValues";
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
        ...chartNames,
        port(["service", "port"], number),
        port(["service", "targetPort"], number),
        onePod,
        onVolume,
        { at: ["auth"], why: "the platform makes the passwords and keeps them" },
        { at: ["customUser"], why: "the platform makes MLflow's user and its database" },
        ...by("monitoring.enabled", ["metrics", "enabled"], ["metrics", "serviceMonitor"]),
      ],
    },
  },
} as const satisfies Footprint;

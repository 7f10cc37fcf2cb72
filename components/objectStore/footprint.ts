import type { PlatformConfig } from "../../config";
import { charts } from "../../pins";
import { chartNames, fixed, only, onePod, onVolume, port } from "../fixedValues";
import { type Footprint, inContainer } from "../footprint";
import { portOf } from "../namespaces/flows";
import { minioAccess } from "./minioSetup";

const { service, port: number, region } = minioAccess;

export const objectStore = {
  namespaces: {
    objectStore: {
      name: "minio-system",
      level: "restricted",
      holdsData: true,
      service: { name: service, port: number },
      // Of the Job that makes buckets and users.
      uses: ["objectStore"],
      outside: ({ objectStore: its }: PlatformConfig) =>
        its.kind === "external" ? portOf(its.endpoint) : undefined,
      metrics: [number],
    },
  },
  titles: {
    "mlplatform:objectStore:MinioChart": () => "MinIO",
    "mlplatform:objectStore:ExternalS3": () => "object store",
  },
  installs: ({ objectStore: its }) => (its?.kind === "minio" ? [charts.minio] : []),
  charts: {
    [charts.minio.name]: {
      section: "objectStore",
      resources: [
        { at: ["resources"], keys: inContainer },
        { at: ["bucketInitJob", "resources"], keys: inContainer, where: ["defaultBuckets"] },
      ],
      replicas: ["replicaCount"],
      volume: ["persistence"],
      fixed: [
        ...chartNames(service),
        port(["service", "port"], number),
        onePod,
        onVolume,
        { at: ["service", "consolePort"], why: "it is the console's own", harmless: only(9090) },
        ...fixed("the platform makes the keys and keeps them", "auth"),
        { at: ["config", "region"], why: "its clients sign their requests for it", harmless: only(region) },
        ...fixed(
          "it says where data lie and which port is served",
          "config.minioOpts",
          "config.minioVolumes",
        ),
        ...fixed("the data lie there", "persistence.mountPath"),
      ],
      added: [["config", "extraEnvVars"]],
    },
  },
} as const satisfies Footprint;

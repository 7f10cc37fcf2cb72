import type { PlatformConfig } from "../../config";
import { charts } from "../../pins";
import { chartNames, onePod, onVolume, port } from "../fixedValues";
import { type Footprint, inContainer } from "../footprint";
import { portOf } from "../namespaces/flows";
import { minioAccess } from "./minioSetup";

const { service, port: number } = minioAccess;

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
        ...chartNames,
        port(["service", "port"], number),
        onePod,
        onVolume,
        { at: ["auth"], why: "the platform makes the keys and keeps them" },
        { at: ["config", "region"], why: "its clients sign their requests for it" },
      ],
      added: [["config", "extraEnvVars"]],
    },
  },
} as const satisfies Footprint;

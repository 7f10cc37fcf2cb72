import * as pulumi from "@pulumi/pulumi";

import type { Database } from "../../../../components/database/database";
import type { ObjectStore } from "../../../../components/objectStore/objectStore";
import { ModelNamespace } from "../../../../components/serving/modelNamespace";
import { TrackingServer } from "../../../../components/tracking/trackingServer";

/** Resources of a container, when they do not matter. */
export const resources = { cpu: "100m", memory: "256Mi", memoryLimit: "512Mi" };

/** The same as Kubernetes writes it. */
export const requirements = { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } };

/** Labels of everything that the platform makes itself. */
export const ownership = {
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "mlplatform",
};

/** A container without rights, on a root file system that it cannot write to. */
export const withoutRights = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
};

/** A pod of a user without rights. */
export function asUser(user: number) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** How every chart is installed: in its own time, with a failed release left for one to look at. */
export const installed = {
  atomic: false,
  compat: "true",
  maxHistory: 5,
  timeout: 900,
};

/** A database that is there. */
export function database(): Database {
  return {
    host: pulumi.output("db.example.com"),
    port: pulumi.output(6432),
    database: pulumi.output("tracking"),
    username: pulumi.output("tracker"),
    password: pulumi.secret("database-secret"),
  };
}

/** A store that is there. */
export function objectStore(): ObjectStore {
  const user = (name: string) => ({
    accessKeyId: pulumi.output(`${name}-id`),
    secretAccessKey: pulumi.secret(`${name}-secret`),
  });
  return {
    endpoint: pulumi.output("https://s3.example.com"),
    region: pulumi.output("eu-west-1"),
    provider: pulumi.output("Ceph"),
    modelBucket: "our-models",
    dataBucket: "our-data",
    predictionBucket: "our-predictions",
    users: {
      tracking: user("tracking"),
      serving: user("serving"),
      training: user("training"),
      batch: user("batch"),
    },
  };
}

/** A namespace for models, called `m`. */
export function modelNamespace(): ModelNamespace {
  return new ModelNamespace("models", {
    namespace: "m",
    objectStore: objectStore(),
    scoring: true,
    quota: { cpu: "4", memory: "8Gi", pods: 20 },
  });
}

/** A tracking server in the namespace `t`. */
export function trackingServer(): TrackingServer {
  return new TrackingServer("tracking", {
    namespace: "t",
    database: database(),
    objectStore: objectStore(),
    replicas: 1,
    workers: 1,
    resources,
  });
}

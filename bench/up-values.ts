/** The articles' way as manifests and chart values: no more settings than it takes to work with the charts of today. */
import { namespaceNames } from "../components/capabilities";
import { chartImage } from "../components/release";
import { type ImagePin, type Mirror, imageParts, imageReference, images, seldonImages } from "../pins";

/** What the articles' way needs to know. */
export interface ArticleSettings {
  readonly mirror: Mirror;
  /** One password for everything, in plain text in every chart's values, as in the articles. */
  readonly password: string;
  readonly trainingImage: string;
  readonly servingImage: string;
}

const { database, objectStore, tracking, servingOperator, models } = namespaceNames;
const storeUrl = `http://minio.${objectStore}.svc.cluster.local:9000`;
const storeUser = "minio";

/** The namespaces, in the order in which they are made. */
export const articleNamespaces = [database, objectStore, tracking, servingOperator, models] as const;

/** The values of each chart. Probes are the charts' own. */
export function articleValues({ mirror, password }: ArticleSettings) {
  const { registry, path, tag } = imageParts(images.mlflow, mirror);
  const mlflow = { repository: `${registry}/${path}`, tag };
  const { operator, executor, storageInitializer } = seldonImages("1.17.1");
  const seldon = (pin: ImagePin) => {
    const parts = imageParts(pin, mirror);
    return { registry: parts.registry, repository: parts.path, tag: parts.tag };
  };
  return {
    postgres: {
      fullnameOverride: "postgresql",
      image: chartImage(images.postgres, mirror),
      auth: { password },
      customUser: { name: "mlflowuser", database: "mlflowdb", password },
      initdb: {
        scripts: {
          "10-schema.sql": [
            "\\connect mlflowdb",
            "CREATE SCHEMA IF NOT EXISTS mlflow AUTHORIZATION mlflowuser;",
            "ALTER DATABASE mlflowdb SET search_path = mlflow;",
          ].join("\n"),
        },
      },
    },
    minio: {
      fullnameOverride: "minio",
      image: chartImage(images.minio, mirror),
      auth: { rootUser: storeUser, rootPassword: password },
    },
    mlflow: {
      fullnameOverride: "mlflow",
      image: mlflow,
      initImages: { mlflowDbMigration: mlflow },
      service: { port: 5000 },
      backendStore: {
        databaseMigration: true,
        postgres: {
          enabled: true,
          host: `postgresql.${database}.svc.cluster.local`,
          database: "mlflowdb",
          user: "mlflowuser",
          password,
          driver: "psycopg2",
        },
      },
      artifactRoot: {
        proxiedArtifactStorage: true,
        s3: {
          enabled: true,
          bucket: "models",
          path: "mlflow",
          awsAccessKeyId: storeUser,
          awsSecretAccessKey: password,
        },
      },
      extraEnvVars: { MLFLOW_S3_ENDPOINT_URL: storeUrl, AWS_DEFAULT_REGION: "us-east-1" },
      // Without it MLflow answers nobody in the cluster.
      serverAllowedHosts: ["*"],
    },
    seldon: {
      usageMetrics: { enabled: false },
      image: seldon(operator),
      executor: { image: seldon(executor) },
      storageInitializer: { image: imageReference(storageInitializer, mirror) },
    },
  };
}

/** The Job that makes the bucket. */
export function bucketJob({ mirror, password }: ArticleSettings) {
  const script = `mc alias set store ${storeUrl} ${storeUser} "$PASSWORD" && mc mb --ignore-existing store/models`;
  return job("bucket", objectStore, {
    image: imageReference(images.minio, mirror),
    command: ["/bin/sh", "-c", script],
    env: variables({ PASSWORD: password, MC_CONFIG_DIR: "/tmp/mc" }),
  });
}

/** The Job that trains, with the sample in its image. */
export function trainingJob({ trainingImage, password }: ArticleSettings) {
  return job("train", models, {
    image: trainingImage,
    env: variables({
      MLFLOW_TRACKING_URI: `http://mlflow.${tracking}.svc.cluster.local:5000`,
      AWS_ENDPOINT_URL: storeUrl,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: storeUser,
      AWS_SECRET_ACCESS_KEY: password,
    }),
  });
}

/** The Secret by which Seldon fetches models. */
export function storageSecret({ password }: ArticleSettings) {
  const remote = {
    TYPE: "s3",
    PROVIDER: "Minio",
    ENV_AUTH: "false",
    ACCESS_KEY_ID: storeUser,
    SECRET_ACCESS_KEY: password,
    ENDPOINT: storeUrl,
    REGION: "us-east-1",
  };
  const entries = Object.entries(remote).map(([key, value]) => [`RCLONE_CONFIG_S3_${key}`, value]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "seldon-rclone-secret", namespace: models },
    stringData: Object.fromEntries(entries) as Record<string, string>,
  };
}

/**
 * The model, with the operator's own probes and its executor in front.
 *
 * @param modelUri where its files are, as its reader copies it from MLflow's page.
 */
export function articleModel({ servingImage }: ArticleSettings, modelUri: string) {
  const name = "house-price";
  return {
    apiVersion: "machinelearning.seldon.io/v1",
    kind: "SeldonDeployment",
    metadata: { name, namespace: models },
    spec: {
      predictors: [
        {
          name: "default",
          replicas: 1,
          componentSpecs: [{ spec: { containers: [{ name, image: servingImage }] } }],
          graph: {
            name,
            type: "MODEL",
            modelUri,
            envSecretRefName: "seldon-rclone-secret",
          },
        },
      ],
    },
  };
}

function job(name: string, namespace: string, container: object) {
  const spec = {
    restartPolicy: "Never",
    containers: [{ name: "main", imagePullPolicy: "IfNotPresent", ...container }],
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: { backoffLimit: 3, template: { spec } },
  };
}

function variables(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

import { casesOf } from "../support/case";
import { builtImage, container, job, release, resource, secret } from "../support/resources";

const plain = (path: string) =>
  `${path} is plain text in the state and in previews: pass it, or all of it, through pulumi.secret()`;
const misplaced = (path: string) =>
  `${path} holds a secret, which the cluster stores and shows in plain text: put it into a Secret and refer to that`;
const literal = (path: string) =>
  `${path} looks like a secret in plain text: put it into a Secret and give the chart that one's name`;
const address = (path: string) =>
  `${path} has an address with a password in it: put the password into a Secret`;

const configMap = (data: Record<string, string>, secretPaths: readonly string[] = []) =>
  resource("kubernetes:core/v1:ConfigMap", { metadata: { name: "it" }, data }, { secretPaths });

export const secretCases = casesOf(
  "no-plaintext-secret",
  [
    {
      name: "a Secret with plain content",
      resources: [
        secret({ user: "mlflow", password: "a", "tls.key": "b" }, ["stringData.user"]),
        resource("kubernetes:core/v1:Secret", { data: { password: "YQ==" } }),
      ],
      messages: [plain("stringData.password"), plain('stringData["tls.key"]'), plain("data.password")],
    },
    {
      name: "a secret in an annotation of a Secret",
      resources: [
        resource(
          "kubernetes:core/v1:Secret",
          { metadata: { annotations: { note: "a" } }, stringData: { password: "a" } },
          { secretPaths: ["metadata.annotations.note", "stringData"] },
        ),
      ],
      messages: [misplaced("metadata.annotations.note")],
    },
    {
      name: "a secret in a ConfigMap, told once for all that is in it",
      resources: [configMap({ password: "a" }, ["data", "data.password"])],
      messages: [misplaced("data")],
    },
    {
      name: "a secret in an environment variable",
      resources: [
        job(
          [container({ env: [{ name: "A", value: "a" }] })],
          {},
          {
            secretPaths: ["spec.template.spec.containers[0].env[0].value"],
          },
        ),
      ],
      messages: [misplaced("spec.template.spec.containers[0].env[0].value")],
    },
    {
      name: "a password in an environment variable that nobody marked as secret",
      resources: [job([container({ env: [{ name: "DB_PASSWORD", value: "hunter2" }] })])],
      messages: [
        "spec.template.spec.containers[0].env[0].value of DB_PASSWORD looks like a secret in plain text: " +
          "take it from a Secret by valueFrom.secretKeyRef",
      ],
    },
    {
      name: "a secret in the values of a chart",
      resources: [
        release("postgres", { auth: { password: "a" } }, { secretPaths: ["values.auth.password"] }),
      ],
      messages: [misplaced("values.auth.password")],
    },
    {
      name: "passwords and keys in the values of a chart that nobody marked as secret",
      resources: [
        release("mlflow", {
          artifactRoot: { s3: { awsAccessKeyId: "minioadmin", awsSecretAccessKey: "minioadmin" } },
          auth: { adminPassword: "a", token: "b" },
          extraEnvVars: { MLFLOW_FLASK_SERVER_SECRET_KEY: "c" },
          extraEnv: [{ name: "S3_SECRET_KEY", value: "d" }],
        }),
      ],
      messages: [
        literal("values.artifactRoot.s3.awsAccessKeyId"),
        literal("values.artifactRoot.s3.awsSecretAccessKey"),
        literal("values.auth.adminPassword"),
        literal("values.auth.token"),
        literal("values.extraEnvVars.MLFLOW_FLASK_SERVER_SECRET_KEY"),
        literal("values.extraEnv[0].value"),
      ],
    },
    {
      name: "passwords in the values of a chart by the ends of their names, and keys by what they are",
      resources: [release("mlflow", { smtp: { pass: "a", credentials: "b", note: "AKIA0123456789ABCDEF" } })],
      messages: [
        literal("values.smtp.pass"),
        literal("values.smtp.credentials"),
        literal("values.smtp.note"),
      ],
    },
    {
      name: "addresses with a password",
      resources: [
        release("mlflow", { backendStore: { uri: "postgresql://mlflow:a@postgresql/mlflow" } }),
        configMap({ "my.cnf": "url = redis://:a@redis:6379" }),
        job([container({ args: ["--uri", "postgresql://mlflow:a@postgresql/mlflow"] })]),
      ],
      messages: [
        address("values.backendStore.uri"),
        address('data["my.cnf"]'),
        address("spec.template.spec.containers[0].args[1]"),
      ],
    },
    {
      name: "a plain password of a registry",
      resources: [builtImage("registry.example.com/a:1", { registry: { username: "a", password: "b" } })],
      messages: [
        "registry.password is plain text in the state: " +
          "set it with pulumi config set --secret, or pass it through pulumi.secret()",
      ],
    },
  ],
  [
    {
      name: "Secrets that are secret by key, as a whole, or not known yet",
      resources: [
        secret({ password: "a", "tls.key": "b" }, ["stringData.password", 'stringData["tls.key"]']),
        secret({ password: "a" }, ["stringData"]),
        secret({ password: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", empty: "" }, []),
      ],
    },
    {
      name: "names of Secrets and of keys in them, switches and placeholders",
      resources: [
        release("postgres", {
          auth: { existingSecret: "postgres-admin", secretKeys: { adminPasswordKey: "postgres-password" } },
          customUser: { existingSecret: "mlflow-db", secretKeys: { password: "password" } },
        }),
        release("mlflow", {
          artifactRoot: {
            s3: { existingSecret: { name: "mlflow-s3", keyOfSecretAccessKey: "AWS_SECRET_ACCESS_KEY" } },
          },
          backendStore: { existingDatabaseSecret: { name: "mlflow-db", passwordKey: "password" } },
          auth: { enabled: false, adminPassword: "", maxTokens: "512" },
          ingress: { tlsSecret: "mlflow-tls", pullSecret: "registry" },
          serviceAccount: { automountServiceAccountToken: false },
          extraEnvVars: { A_PASSWORD: "$(FROM_SECRET)", URI: "http://minio.minio-system.svc:9000" },
        }),
      ],
    },
    {
      name: "variables from Secrets, and addresses whose password comes from one",
      resources: [
        job([
          container({
            env: [
              { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "mlflow-db", key: "password" } } },
              { name: "URI", value: "postgresql://mlflow:$(DB_PASSWORD)@postgresql/mlflow" },
            ],
          }),
        ]),
      ],
    },
    {
      name: "secrets of what is not in the cluster",
      resources: [
        release("postgres", {}, { secretPaths: ["repositoryOpts.password"] }),
        builtImage("registry.example.com/a:1", {
          registry: { password: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" },
        }),
        resource("mlplatform:database:PostgresChart", { password: "a" }, { secretPaths: ["password"] }),
      ],
    },
  ],
);

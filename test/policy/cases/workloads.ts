import { casesOf } from "../support/case";
import { container, job, model, release, resource, restricted, sized } from "../support/resources";

const pod = "spec.template.spec";
const inJob = `${pod}.containers[0]`;
const inModel = "spec.predictors[0].componentSpecs[0].spec";
const seldonSized = { cpuRequest: "50m", memoryRequest: "64Mi", memoryLimit: "128Mi" };

const resourceCases = casesOf(
  "requests-and-limits",
  [
    {
      name: "containers without, or with a part of it",
      resources: [
        job([container({ resources: undefined })], {
          initContainers: [container({ resources: { ...sized, limits: { cpu: "1" } } })],
        }),
        resource("kubernetes:batch/v1:CronJob", {
          spec: {
            jobTemplate: { spec: { template: { spec: { containers: [container({ resources: {} })] } } } },
          },
        }),
      ],
      messages: [
        `${pod}.initContainers[0].resources has no limits.memory: say what the container needs`,
        `${inJob}.resources has no requests.cpu, no requests.memory, no limits.memory: say what the container needs`,
        "spec.jobTemplate.spec.template.spec.containers[0].resources has no requests.cpu, no requests.memory, " +
          "no limits.memory: say what the container needs",
      ],
    },
    {
      name: "charts that are not told",
      resources: [
        release("postgres", { resources: { ...sized, requests: { cpu: "1" } }, metrics: { enabled: true } }),
        release("minio", { resources: sized, defaultBuckets: "models" }),
        release("mlflow", {}),
        release("seldon-core-operator", {
          manager: seldonSized,
          executor: { resources: { cpuRequest: "1" } },
        }),
      ],
      messages: [
        "values.resources has no requests.memory: say what the container needs",
        "values.metrics.resources has no requests.cpu, no requests.memory, no limits.memory: say what the container needs",
        "values.bucketInitJob.resources has no requests.cpu, no requests.memory, no limits.memory: " +
          "say what the container needs",
        "values.resources has no requests.cpu, no requests.memory, no limits.memory: say what the container needs",
        "values.executor.resources has no memoryRequest, no memoryLimit: say what the container needs",
      ],
    },
    {
      name: "a chart of which it is not known where it takes them",
      resources: [release("minio", {}, { props: { chart: "oci://a/redis", values: { resources: sized } } })],
      messages: [
        "values of chart redis: it is not known where this chart takes requests and limits; " +
          "say it in the footprint of its capability",
      ],
    },
    {
      name: "nodes of a model's graph without a container of their own",
      resources: [
        model({
          componentSpecs: [{ spec: { containers: [container({ name: "a" })] } }],
          graph: {
            name: "ab",
            implementation: "RANDOM_ABTEST",
            children: [{ name: "a" }, { name: "b", implementation: "SKLEARN_SERVER" }],
          },
        }),
        model({ graph: { name: "c", implementation: "XGBOOST_SERVER" } }),
      ],
      messages: [
        "spec.predictors[0].componentSpecs has no container b, so that it gets no requests and limits: add it there",
        "spec.predictors[0].componentSpecs has no container c, so that it gets no requests and limits: add it there",
      ],
    },
  ],
  [
    {
      name: "containers and charts that ask for what they need",
      resources: [
        job(),
        job([container({ resources: "[unknown until deployed]" })]),
        model({
          componentSpecs: [{ spec: { containers: [container({ name: "a" })] } }],
          graph: { name: "a", implementation: "MLFLOW_SERVER" },
        }),
        release("postgres", { resources: sized, metrics: { enabled: false } }),
        release("minio", { resources: sized }),
        release("seldon-core-operator", { manager: seldonSized, executor: { resources: seldonSized } }),
      ],
    },
  ],
);

const restrictedCases = casesOf(
  "restricted-containers",
  [
    {
      name: "a container without a security context",
      resources: [job([container({ securityContext: undefined })])],
      messages: [
        `${inJob}.securityContext.runAsNonRoot is not true, nor is the pod's: set it, and a runAsUser if the image names none`,
        `${inJob}.securityContext.allowPrivilegeEscalation is not false: set it`,
        `${inJob}.securityContext.capabilities.drop lacks ALL: set it to ["ALL"]`,
        `${inJob}.securityContext.seccompProfile.type is not RuntimeDefault, nor is the pod's: set it for either`,
      ],
    },
    {
      name: "a container with every right",
      resources: [
        job(
          [
            container({
              securityContext: {
                ...restricted,
                privileged: true,
                runAsUser: 0,
                capabilities: { drop: ["NET_RAW"], add: ["SYS_ADMIN", "NET_ADMIN"] },
                seccompProfile: { type: "Unconfined" },
              },
              ports: [{ containerPort: 80, hostPort: 80 }],
            }),
          ],
          {
            hostNetwork: true,
            hostPID: true,
            volumes: [{ name: "a", emptyDir: {} }, { hostPath: { path: "/" } }],
          },
        ),
      ],
      messages: [
        `${pod}.hostNetwork is true, which opens the node to the pod: leave it out`,
        `${pod}.hostPID is true, which opens the node to the pod: leave it out`,
        `${pod}.volumes[1].hostPath mounts a folder of the node: use a volume claim or emptyDir`,
        `${inJob}.securityContext.runAsUser is 0, which is root: take any other user`,
        `${inJob}.securityContext.privileged is true: leave it out`,
        `${inJob}.securityContext.capabilities.drop lacks ALL: set it to ["ALL"]`,
        `${inJob}.securityContext.capabilities.add is SYS_ADMIN, NET_ADMIN: leave it out`,
        `${inJob}.securityContext.seccompProfile.type is not RuntimeDefault, nor is the pod's: set it for either`,
        `${inJob}.ports[0].hostPort opens a port of the node: use a Service`,
      ],
    },
    {
      name: "a container that takes back what its pod sets",
      resources: [
        job([container({ securityContext: { ...restricted, runAsNonRoot: false } })], {
          securityContext: { runAsNonRoot: true },
        }),
      ],
      messages: [
        `${inJob}.securityContext.runAsNonRoot is not true, nor is the pod's: set it, and a runAsUser if the image names none`,
      ],
    },
    {
      name: "a model's container",
      resources: [
        model({ componentSpecs: [{ spec: { containers: [container({ securityContext: {} })] } }] }),
      ],
      messages: [
        `${inModel}.containers[0].securityContext.runAsNonRoot is not true, nor is the pod's: ` +
          "set it, and a runAsUser if the image names none",
        `${inModel}.containers[0].securityContext.allowPrivilegeEscalation is not false: set it`,
        `${inModel}.containers[0].securityContext.capabilities.drop lacks ALL: set it to ["ALL"]`,
      ],
    },
  ],
  [
    {
      name: "settings of the container, of the pod, and not known yet",
      resources: [
        job(),
        job(
          [
            container({
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            }),
          ],
          {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          },
        ),
        job([container({ securityContext: "[unknown until deployed]" })]),
        model({
          componentSpecs: [
            {
              spec: {
                containers: [container({ securityContext: { ...restricted, seccompProfile: undefined } })],
              },
            },
          ],
        }),
      ],
    },
    {
      name: "pods of others, whose charts set theirs",
      resources: [release("postgres", {}), resource("kubernetes:core/v1:Service", { spec: {} })],
    },
  ],
);

const tokenCases = casesOf(
  "no-service-account-token",
  [
    {
      name: "pods that do not refuse it",
      resources: [
        job([container()], {}),
        resource("kubernetes:apps/v1:Deployment", {
          spec: { template: { spec: { automountServiceAccountToken: true, containers: [] } } },
        }),
        resource("kubernetes:core/v1:Pod", { spec: { containers: [] } }),
        model({ componentSpecs: [{ spec: { containers: [container()] } }] }),
      ],
      messages: [
        `${pod}.automountServiceAccountToken is not false: set it, or name the account with serviceAccountName`,
        `${pod}.automountServiceAccountToken is not false: set it, or name the account with serviceAccountName`,
        "spec.automountServiceAccountToken is not false: set it, or name the account with serviceAccountName",
        `${inModel}.automountServiceAccountToken is not false: set it, or name the account with serviceAccountName`,
      ],
    },
  ],
  [
    {
      name: "pods that refuse it, or say whose it is",
      resources: [
        job(),
        job([container()], { serviceAccountName: "seldon-gate" }),
        model({ componentSpecs: [{ spec: { automountServiceAccountToken: false, containers: [] } }] }),
      ],
    },
  ],
);

export const workloadCases = [...resourceCases, ...restrictedCases, ...tokenCases];

import { casesOf } from "../support/case";
import { container, job, namespace, networkPolicy, release, resource } from "../support/resources";

const command = "opens a bucket to everyone (mc anonymous set): leave that command out";

const bucketCases = casesOf(
  "no-public-bucket",
  [
    {
      name: "buckets of charts",
      resources: [
        release("minio", { defaultBuckets: "datasets, models:public" }),
        release("minio", { buckets: [{ name: "models", policy: "download" }] }),
      ],
      messages: [
        "values.defaultBuckets opens a bucket to everyone (models:public): " +
          "name the bucket alone, and give keys to who needs it",
        "values.buckets[0].policy is download, which opens a bucket to everyone: set it to none",
      ],
    },
    {
      name: "commands and scripts",
      resources: [
        job([
          container({ command: ["mc", "anonymous", "set", "public", "local/models"] }),
          container({
            command: ["sh", "-c", "mc mb local/models && mc --quiet anonymous set download local/models"],
          }),
        ]),
        resource("kubernetes:core/v1:ConfigMap", {
          data: {
            "setup.sh": "set -eu\nmc policy set public local/models\n",
            "policy.json":
              '{"Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:GetObject"]}]}',
          },
        }),
      ],
      messages: [
        `spec.template.spec.containers[0].command ${command}`,
        `spec.template.spec.containers[1].command[2] ${command}`,
        `data["setup.sh"] ${command}`,
        'data["policy.json"] is a bucket policy for everyone ("Principal": "*"): name users instead',
      ],
    },
  ],
  [
    {
      name: "buckets with keys",
      resources: [
        release("minio", {
          defaultBuckets: "models, datasets:none",
          buckets: [{ name: "a", policy: "none" }],
        }),
        job([
          container({
            command: ["sh", "-c", "mc mb local/models; mc anonymous set none local/models # not public"],
          }),
        ]),
        resource("kubernetes:core/v1:ConfigMap", {
          data: { "policy.json": '{"Statement":[{"Effect":"Allow","Action":["s3:GetObject"]}]}' },
        }),
      ],
    },
  ],
);

const openService =
  "opens the Service to the outside of the cluster: leave it at ClusterIP, and use an Ingress: tracking.ingress";

const service = (name: string, spec: Record<string, unknown>) =>
  resource("kubernetes:core/v1:Service", { metadata: { name, namespace: "fe" }, spec });

const serviceCases = casesOf(
  "no-exposed-service",
  [
    {
      name: "Services of our own and of charts",
      resources: [
        service("frontend", { type: "NodePort" }),
        service("second", { type: "LoadBalancer" }),
        service("third", { externalIPs: ["192.0.2.1"] }),
        release("minio", { service: { type: "NodePort" }, consoleService: { type: "LoadBalancer" } }),
      ],
      messages: [
        `spec.type is NodePort, which ${openService}`,
        `spec.type is LoadBalancer, which ${openService}`,
        `spec.externalIPs ${openService}`,
        `values.service.type is NodePort, which ${openService}`,
        `values.consoleService.type is LoadBalancer, which ${openService}`,
      ],
    },
  ],
  [
    {
      name: "Services inside the cluster",
      resources: [
        service("a", {}),
        service("b", { type: "ClusterIP" }),
        release("minio", { service: { type: "ClusterIP" } }),
      ],
    },
  ],
);

const label = 'metadata.labels["pod-security.kubernetes.io/enforce"]';
const toSet = "set it to restricted, or to baseline where that is too strict";

const labelCases = casesOf(
  "pod-security-labels",
  [
    {
      name: "a namespace without the label, and one that allows everything",
      resources: [namespace("a"), namespace("b", "privileged")],
      messages: [`${label} is missing: ${toSet}`, `${label} is "privileged": ${toSet}`],
    },
  ],
  [{ name: "both standards", resources: [namespace("a", "baseline"), namespace("b", "restricted")] }],
);

const missingPolicy = (name: string, directions: string) =>
  `metadata.name ${name}: no NetworkPolicy with an empty podSelector refuses ${directions.replace(", ", " and ")}: ` +
  `add one with policyTypes [${directions}] and no rules but for DNS`;

const denyCases = casesOf(
  "default-deny-network",
  [
    {
      name: "namespaces in which something is admitted for all",
      resources: [
        namespace("without"),
        namespace("ingress-only"),
        networkPolicy("ingress-only", { podSelector: {} }),
        namespace("some-pods"),
        networkPolicy("some-pods", {
          podSelector: { matchLabels: { a: "b" } },
          policyTypes: ["Ingress", "Egress"],
        }),
        namespace("with-rules"),
        networkPolicy("with-rules", { podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [{}] }),
        namespace("too-much"),
        networkPolicy("too-much", {
          podSelector: {},
          policyTypes: ["Ingress", "Egress"],
          ingress: [{ ports: [{ port: 53 }] }],
          egress: [{ ports: [{ port: 53 }, { port: 53, endPort: 60_000 }] }],
        }),
      ],
      messages: [
        missingPolicy("without", "Ingress, Egress"),
        missingPolicy("ingress-only", "Egress"),
        missingPolicy("some-pods", "Ingress, Egress"),
        missingPolicy("with-rules", "Egress"),
        missingPolicy("too-much", "Ingress, Egress"),
      ],
    },
  ],
  [
    {
      name: "both directions, in one policy or in two, and a name not known yet",
      resources: [
        namespace("a"),
        networkPolicy("a", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
        networkPolicy("a", { podSelector: {}, policyTypes: ["Egress"], egress: [{ ports: [{ port: 53 }] }] }),
        namespace("b"),
        networkPolicy("b", { podSelector: {}, policyTypes: ["Ingress"], ingress: [] }),
        networkPolicy("b", { podSelector: {}, policyTypes: ["Egress"], egress: [{ ports: [{ port: 53 }] }] }),
        namespace("[unknown until deployed]"),
      ],
    },
  ],
);

export const exposureCases = [...bucketCases, ...serviceCases, ...labelCases, ...denyCases];

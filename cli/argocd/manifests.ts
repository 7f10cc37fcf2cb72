/** The objects by which Argo CD and the Pulumi Kubernetes Operator bring stacks up. */
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { imageReference, operatorImages } from "../../pins";
import { project } from "../paths";
import type { Right } from "../preflight/permissions";
import type { Delivery, Request } from "./request";

/** An object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

/** Where Argo CD is, and what it reads its settings from. */
export const argocdNamespace = "argocd";
/** Where the operator is: the namespace and the name of its Helm release. */
export const operatorName = "pulumi-kubernetes-operator";
/** The Secret that opens the state, with a key for each variable. */
export const stateSecret = "state";
/** The key of the Secret that opens a repository. */
export const gitKeys = { https: "token", ssh: "sshPrivateKey" } as const;
const kubeconfigFolder = "/etc/mlplatform/kubeconfig";

/** What the administrator of Argo CD applies: what may be delivered from where to where, and the deliveries. */
export function argocdManifests({ repository, deliveries }: Request, folder: string): Manifest[] {
  return deliveries.flatMap(({ stack, branch, destination: name }): Manifest[] => {
    const metadata = { name: `${project}-${stack}`, namespace: argocdNamespace };
    const destination = { name, namespace: namespaceOf(stack) };
    return [
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "AppProject",
        metadata,
        spec: {
          description: "The ML platform: nothing but Stacks, which the operator brings up.",
          sourceRepos: [repository],
          // Its own alone: what is in a stack's branch must not reach another stack.
          destinations: [destination],
          // Nothing of a cluster as a whole: its rights are given by its administrator, not by a commit.
          clusterResourceWhitelist: [],
          namespaceResourceWhitelist: [{ group: "pulumi.com", kind: "Stack" }],
        },
      },
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata,
        spec: {
          project: metadata.name,
          source: { repoURL: repository, targetRevision: branch, path: `${folder}/stacks/${stack}` },
          destination,
          syncPolicy: {
            // A file that is gone is no order to forget a platform.
            automated: { prune: false, selfHeal: true },
            retry: { limit: 5, backoff: { duration: "10s", factor: 2, maxDuration: "5m" } },
          },
        },
      },
    ];
  });
}

/** The part of Argo CD's settings that says how a Stack is; applied on the server's side it leaves the others alone. */
export function healthManifests(): Manifest[] {
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "argocd-cm", namespace: argocdNamespace },
      data: {
        "resource.customizations.health.pulumi.com_Stack": readFileSync(
          path.join(__dirname, "health.lua"),
          "utf8",
        ),
      },
    },
  ];
}

/** What the administrator of a stack's cluster applies: as whom the operator's workspaces act there, and what they may. */
export function clusterManifests({ stack, context, rights }: Delivery): Manifest[] {
  const [namespace, name] = [namespaceOf(stack), `${project}-${stack}`];
  const subjects = [{ kind: "ServiceAccount", name: project, namespace }];
  const binding = (to: string, role: string): Manifest => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: to },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects,
  });
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: project, namespace } },
    // A workspace asks the API server whether whoever calls it is the operator.
    binding(`${name}-auth-delegator`, "system:auth-delegator"),
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: rulesOf(rights),
    },
    binding(name, name),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kubeconfig", namespace },
      data: { config: kubeconfig(context) },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "operator-to-workspaces", namespace },
      spec: {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": operatorName } },
                podSelector: { matchLabels: { "app.kubernetes.io/name": operatorName } },
              },
            ],
            ports: [{ protocol: "TCP", port: "grpc" }],
          },
        ],
      },
    },
  ];
}

/** What Argo CD syncs: the stack, as the operator is told of it. */
export function stackManifests(request: Request, delivery: Delivery): Manifest[] {
  const { stack, reference, branch, backend, images } = delivery;
  return [
    {
      apiVersion: "pulumi.com/v1",
      kind: "Stack",
      metadata: { name: stack, namespace: namespaceOf(stack) },
      spec: {
        stack: reference,
        projectRepo: request.repository,
        branch: `refs/heads/${branch}`,
        shallow: true,
        ...gitAuth(request),
        backend,
        // A wrong address must not begin a second platform beside the first: the stack is brought up once by `npm run up`.
        useLocalStackOnly: true,
        // Who removes this object has not said that the platform and its data go.
        destroyOnFinalize: false,
        refresh: true,
        resyncFrequencySeconds: 300,
        retryMaxBackoffDurationSeconds: 3600,
        // No pod with the passphrase waits for the next commit.
        workspaceReclaimPolicy: "Delete",
        serviceAccountName: project,
        envRefs: { KUBECONFIG: literal(`${kubeconfigFolder}/config`), ...stateVariables(delivery) },
        ...(images !== undefined && { config: { [`${project}:images`]: images } }),
        workspaceTemplate: {
          spec: {
            image: imageReference(operatorImages.workspace),
            securityProfile: "restricted",
            podTemplate: {
              spec: {
                containers: [
                  {
                    name: "pulumi",
                    // The program with its SDKs, the engine and its providers, side by side.
                    resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "2Gi" } },
                    volumeMounts: [{ name: "kubeconfig", mountPath: kubeconfigFolder, readOnly: true }],
                  },
                ],
                volumes: [{ name: "kubeconfig", configMap: { name: "kubeconfig" } }],
              },
            },
          },
        },
      },
    },
  ];
}

function namespaceOf(stack: string): string {
  return `${project}-${stack}`;
}

/** Variables of the workspace that open the state. */
function stateVariables({ backend, passphrase }: Delivery): Readonly<Record<string, unknown>> {
  const inCloud = backend.startsWith("https:");
  const region = inCloud ? null : new URL(backend).searchParams.get("region");
  const secrets = [
    ...(passphrase ? ["PULUMI_CONFIG_PASSPHRASE"] : []),
    ...(inCloud ? ["PULUMI_ACCESS_TOKEN"] : ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
  ];
  return {
    ...Object.fromEntries(
      secrets.map((name) => [name, { type: "Secret", secret: { name: stateSecret, key: name } }]),
    ),
    ...(region !== null && { AWS_REGION: literal(region) }),
  };
}

function literal(value: string) {
  return { type: "Literal", literal: { value } };
}

function gitAuth({ repository, gitSecret: name }: Request): Readonly<Record<string, unknown>> {
  if (name === undefined) return {};
  const secret = (key: string) => ({ type: "Secret", secret: { name, key } });
  return {
    gitAuth: repository.startsWith("https:")
      ? { accessToken: secret(gitKeys.https) }
      : { sshAuth: { sshPrivateKey: secret(gitKeys.ssh) } },
  };
}

/** A workspace is in the cluster that it changes: the context is its own service account, and there is nothing to keep. */
function kubeconfig(context: string): string {
  const token = "/var/run/secrets/kubernetes.io/serviceaccount";
  const cluster = { server: "https://kubernetes.default.svc", "certificate-authority": `${token}/ca.crt` };
  const whole = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    contexts: [{ name: context, context: { cluster: "own", user: "own" } }],
    clusters: [{ name: "own", cluster }],
    users: [{ name: "own", user: { tokenFile: `${token}/token` } }],
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

const changing = ["create", "delete", "get", "list", "patch", "update", "watch"];
const reading = ["get", "list", "watch"];

/** By which Pulumi sees that something is ready, or why not. */
const looked: readonly { readonly group: string; readonly resources: readonly string[] }[] = [
  { group: "", resources: ["endpoints", "events", "pods", "pods/log"] },
  { group: "apps", resources: ["controllerrevisions", "replicasets"] },
  { group: "discovery.k8s.io", resources: ["endpointslices"] },
];

/** What the rights are in a ClusterRole: the namespaces are the stack's own, so that nothing in them can be granted before. */
function rulesOf(rights: readonly Right[]): object[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, resource } of rights) groups.set(group, (groups.get(group) ?? new Set()).add(resource));
  const changes = [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([group, resources]) => ({ apiGroups: [group], resources: [...resources].sort(), verbs: changing }));
  const looks = looked.map(({ group, resources }) => ({ apiGroups: [group], resources, verbs: reading }));
  // A chart with an operator gives it rights: whoever installs it must have them, or may give what they have not.
  const roles = ["clusterroles", "roles"].filter((name) =>
    groups.get("rbac.authorization.k8s.io")?.has(name),
  );
  const gives = [{ apiGroups: ["rbac.authorization.k8s.io"], resources: roles, verbs: ["bind", "escalate"] }];
  return [...changes, ...looks, ...(roles.length > 0 ? gives : [])];
}

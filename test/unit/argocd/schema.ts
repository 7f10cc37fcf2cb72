/**
 * The fields in use of what Argo CD and the operator take, and no others: as their resource definitions have them, of
 * pulumi-kubernetes-operator 2.9.0 (deploy/crds) and Argo CD 3.5.1 (manifests/crds). Another field is found here.
 */
import * as z from "zod";

const metadata = z.strictObject({ name: z.string(), namespace: z.string() });
const fromSecret = z.strictObject({
  type: z.literal("Secret"),
  secret: z.strictObject({ name: z.string(), key: z.string() }),
});
const variable = z.union([
  fromSecret,
  z.strictObject({ type: z.literal("Literal"), literal: z.strictObject({ value: z.string() }) }),
]);
const quantity = z.string().regex(/^\d+(m|Gi|Mi)?$/);

const stack = z.strictObject({
  apiVersion: z.literal("pulumi.com/v1"),
  kind: z.literal("Stack"),
  metadata,
  spec: z.strictObject({
    stack: z.string(),
    projectRepo: z.string(),
    branch: z.string(),
    shallow: z.boolean(),
    gitAuth: z
      .union([
        z.strictObject({ accessToken: fromSecret }),
        z.strictObject({ sshAuth: z.strictObject({ sshPrivateKey: fromSecret }) }),
      ])
      .optional(),
    backend: z.string(),
    useLocalStackOnly: z.boolean(),
    destroyOnFinalize: z.boolean(),
    refresh: z.boolean(),
    resyncFrequencySeconds: z.int(),
    retryMaxBackoffDurationSeconds: z.int(),
    workspaceReclaimPolicy: z.enum(["Retain", "Delete"]),
    serviceAccountName: z.string(),
    envRefs: z.record(z.string(), variable),
    // Anything, as the definition has it.
    config: z.record(z.string(), z.unknown()).optional(),
    workspaceTemplate: z.strictObject({
      spec: z.strictObject({
        image: z.string(),
        securityProfile: z.enum(["baseline", "restricted"]),
        podTemplate: z.strictObject({
          spec: z.strictObject({
            containers: z.array(
              z.strictObject({
                name: z.string(),
                resources: z.strictObject({
                  requests: z.strictObject({ cpu: quantity, memory: quantity }),
                  limits: z.strictObject({ memory: quantity }),
                }),
                volumeMounts: z.array(
                  z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean() }),
                ),
              }),
            ),
            volumes: z.array(
              z.strictObject({ name: z.string(), configMap: z.strictObject({ name: z.string() }) }),
            ),
          }),
        }),
      }),
    }),
  }),
});

const kinds = z.array(z.strictObject({ group: z.string(), kind: z.string() }));
const destination = z.strictObject({ name: z.string(), namespace: z.string() });

const appProject = z.strictObject({
  apiVersion: z.literal("argoproj.io/v1alpha1"),
  kind: z.literal("AppProject"),
  metadata,
  spec: z.strictObject({
    description: z.string(),
    sourceRepos: z.array(z.string()),
    destinations: z.array(destination),
    clusterResourceWhitelist: kinds,
    namespaceResourceWhitelist: kinds,
  }),
});

const application = z.strictObject({
  apiVersion: z.literal("argoproj.io/v1alpha1"),
  kind: z.literal("Application"),
  metadata,
  spec: z.strictObject({
    project: z.string(),
    source: z.strictObject({ repoURL: z.string(), targetRevision: z.string(), path: z.string() }),
    destination,
    syncPolicy: z.strictObject({
      automated: z.strictObject({ prune: z.boolean(), selfHeal: z.boolean() }),
      retry: z.strictObject({
        limit: z.int(),
        backoff: z.strictObject({ duration: z.string(), factor: z.int(), maxDuration: z.string() }),
      }),
    }),
  }),
});

/** By their kinds. */
export const schemas = { Stack: stack, AppProject: appProject, Application: application };

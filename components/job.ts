import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../config/fields";
import { containerSecurity, ownership, podSecurity, requirements, scratch } from "./kubernetes";
import { roleLabel } from "./roles";

/** After how many minutes a Job is ended that says nothing else. */
const defaultMinutes = 10;

/** A container that does one thing and ends. */
export interface OneOffArgs extends JobArgs {
  namespace: pulumi.Input<string>;
  /** Name of the Job. */
  jobName: pulumi.Input<string>;
}

/** What the pods of a Job do. */
export interface JobArgs {
  image: pulumi.Input<string>;
  command?: pulumi.Input<string>[];
  args?: pulumi.Input<string>[];
  env?: object[];
  /**
   * A ConfigMap whose files are mounted, each by its key or under the path that `paths` has for that.
   * @default none
   */
  files?: { configMap: pulumi.Input<string>; at: string; paths?: Readonly<Record<string, string>> };
  /** User that it runs as. */
  user: number;
  resources: Resources;
  /**
   * How much it may write to `/tmp`, which is kept free for it.
   * @default as much as the node has
   */
  room?: string;
  /** Marks its pods, for the network policies. */
  role: string;
  /**
   * A service account with rights, whose token is mounted.
   * @default none: the pod gets no token
   */
  serviceAccountName?: pulumi.Input<string>;
  /**
   * How often it is tried again.
   * @default 4
   */
  retries?: number;
  /**
   * After how many minutes it is ended.
   * @default 10
   */
  timeoutMinutes?: number;
}

/**
 * Runs a Job to its end; it is ready when it has succeeded.
 *
 * Kubernetes does not let a Job change, so another one takes its place whenever something differs, and when it has
 * failed: the next `up` tries again. What flows into the name of another resource must not depend on a Job: where the
 * new one has the old one's name, Pulumi would replace that resource too.
 */
export function runOnce(
  name: string,
  args: OneOffArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.batch.v1.Job {
  const { timeoutMinutes = defaultMinutes } = args;
  return new k8s.batch.v1.Job(
    name,
    {
      metadata: {
        name: args.jobName,
        namespace: args.namespace,
        labels: labelsOf(args),
        annotations: { "pulumi.com/replaceUnready": "true" },
      },
      spec: jobSpec(args),
    },
    {
      ...opts,
      customTimeouts: { create: `${timeoutMinutes + 1}m`, update: `${timeoutMinutes + 1}m` },
    },
  );
}

/** The specification of a Job. */
export function jobSpec(args: JobArgs): k8s.types.input.batch.v1.JobSpec {
  const { files, room, timeoutMinutes = defaultMinutes, serviceAccountName } = args;
  return {
    backoffLimit: args.retries ?? 4,
    activeDeadlineSeconds: timeoutMinutes * 60,
    template: {
      metadata: { labels: labelsOf(args) },
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: serviceAccountName !== undefined,
        ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
        enableServiceLinks: false,
        securityContext: podSecurity(args.user),
        containers: [
          {
            name: "main",
            image: args.image,
            imagePullPolicy: "IfNotPresent",
            ...(args.command === undefined ? {} : { command: args.command }),
            ...(args.args === undefined ? {} : { args: args.args }),
            ...(args.env === undefined ? {} : { env: args.env as k8s.types.input.core.v1.EnvVar[] }),
            resources: withRoom(requirements(args.resources), room),
            securityContext: containerSecurity,
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [
              ...scratch.volumeMounts,
              ...(files === undefined ? [] : [{ name: "files", mountPath: files.at, readOnly: true }]),
            ],
          },
        ],
        volumes: [
          ...scratch.volumes.map((volume) =>
            room === undefined ? volume : { ...volume, emptyDir: { sizeLimit: room } },
          ),
          ...(files === undefined ? [] : [{ name: "files", configMap: mounted(files) }]),
        ],
      },
    },
  };
}

function mounted({ configMap: name, paths }: NonNullable<JobArgs["files"]>) {
  if (paths === undefined) return { name };
  return { name, items: Object.entries(paths).map(([key, path]) => ({ key, path })) };
}

function withRoom({ requests, limits }: ReturnType<typeof requirements>, room: string | undefined) {
  return { requests: { ...requests, ...(room === undefined ? {} : { "ephemeral-storage": room }) }, limits };
}

function labelsOf({ role }: JobArgs) {
  return { ...ownership, [roleLabel]: role };
}

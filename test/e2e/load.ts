import { readFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { V1Pod } from "@kubernetes/client-node";

import type { Cluster } from "../../cli/cluster/cluster";
import { predictionsPath, seldonGroup } from "../../cli/cluster/servedModels";
import { namespaceNames } from "../../components/namespaces/traffic";
import { containerSecurity, podSecurity } from "../../components/kubernetes";
import { modelName } from "./testStack";

/** How the requests went. */
export interface LoadCounts {
  /** `answered`, `refused`, `broken: …`, `status 500`, … */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How often each version of the model answered. */
  readonly versions: Readonly<Record<string, number>>;
}

/**
 * The load's own namespace. Pods beside the models may not ask them, and a port-forward would stick to one pod: this
 * is how an application asks a model.
 */
export const loadNamespace = "mlplatform-e2e";
const pod = "load";
const startMilliseconds = 60_000;

/** Clients in the cluster that ask the model steadily, through its Service. */
export class Load {
  private constructor(private readonly cluster: Cluster) {}

  /** Starts the clients. Resolves when the first are answered. */
  static async start(cluster: Cluster, row: readonly number[]): Promise<Load> {
    const image = await servingImage(cluster);
    const metadata = {
      name: loadNamespace,
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    };
    const post = (address: string, object: object) => cluster.send(address, { body: JSON.stringify(object) });
    await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata });
    await post(`/api/v1/namespaces/${loadNamespace}/pods`, podOf(image, row));
    const load = new Load(cluster);
    const end = Date.now() + startMilliseconds;
    while (((await load.counts())?.outcomes["answered"] ?? 0) === 0) {
      if (Date.now() > end) throw new Error(`the load does not start: ${await load.log()}`);
      await sleep(500);
    }
    return load;
  }

  /** Ends the clients. @returns how it went. */
  async stop(): Promise<LoadCounts> {
    // They tell once a second.
    await sleep(2_000);
    const [counts, phase] = await Promise.all([this.counts(), this.phase()]);
    // What one that has ended told last would look as good.
    if (counts === undefined || phase !== "Running")
      throw new Error(`the load was cut off (its pod is ${phase}): ${await this.log()}`);
    await removeLoad(this.cluster);
    return counts;
  }

  private async phase(): Promise<string> {
    const live = await this.cluster.get<V1Pod>(`/api/v1/namespaces/${loadNamespace}/pods/${pod}`);
    return live?.status?.phase ?? "gone";
  }

  private async counts(): Promise<LoadCounts | undefined> {
    try {
      return JSON.parse(await this.log()) as LoadCounts;
    } catch {
      return undefined;
    }
  }

  /** The last line that the pod wrote. */
  private async log(): Promise<string> {
    const address = `/api/v1/namespaces/${loadNamespace}/pods/${pod}/log?tailLines=1`;
    return (await this.cluster.send(address)).body;
  }
}

/** Removes what {@link Load.start} has made, if it is there. */
export async function removeLoad(cluster: Cluster): Promise<void> {
  await cluster.remove(`/api/v1/namespaces/${loadNamespace}`);
}

/** The image that serves the model: it is in the cluster, and has Python. */
async function servingImage(cluster: Cluster): Promise<string> {
  interface Deployment {
    spec: { predictors: { componentSpecs: { spec: { containers: { image: string }[] } }[] }[] };
  }
  const address = `/apis/${seldonGroup}/v1/namespaces/${namespaceNames.models}/seldondeployments/${modelName}`;
  const found = await cluster.get<Deployment>(address);
  const image = found?.spec.predictors[0]?.componentSpecs[0]?.spec.containers[0]?.image;
  if (image === undefined) throw new Error(`${modelName} is not in service`);
  return image;
}

function podOf(image: string, row: readonly number[]) {
  const url = `http://${modelName}-default.${namespaceNames.models}.svc.cluster.local:8000${predictionsPath}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, namespace: loadNamespace },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: podSecurity(8888),
      containers: [
        {
          name: "main",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["python", "-c", readFileSync(path.join(__dirname, "load.py"), "utf8")],
          env: [
            { name: "URL", value: url },
            { name: "BODY", value: JSON.stringify({ data: { ndarray: [row] } }) },
          ],
          resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } },
          securityContext: containerSecurity,
        },
      ],
    },
  };
}

import { readFileSync } from "node:fs";
import * as path from "node:path";

import type { V1Pod } from "@kubernetes/client-node";

import type { Cluster } from "../../cli/cluster/cluster";
import { backend } from "../../cli/serving/backend";
import { containerSecurity, podSecurity } from "../../components/kubernetes";
import { namespaceNames } from "../../components/capabilities";
import { until } from "./pods";
import { modelName } from "./testStack";

/**
 * The visitors' own namespace. Pods beside the models may not ask them, and a port-forward would stick to one pod: this
 * is how an application meets the platform.
 */
export const visitorNamespace = "mlplatform-e2e";

/** A pod of somebody else that runs a script of this folder, in the image that serves the model: it has Python. */
export class Visitor {
  private constructor(
    private readonly cluster: Cluster,
    private readonly name: string,
  ) {}

  /**
   * @param file name of the script's file.
   * @param env its variables.
   */
  static async start(
    cluster: Cluster,
    name: string,
    file: string,
    env: Readonly<Record<string, string>>,
  ): Promise<Visitor> {
    const image = await servingImage(cluster);
    if ((await cluster.get(`/api/v1/namespaces/${visitorNamespace}`)) === undefined)
      await post(cluster, "/api/v1/namespaces", namespace);
    await post(cluster, podsAddress, podOf(name, image, file, env));
    return new Visitor(cluster, name);
  }

  /** `Running`, `Succeeded`, …; `gone` if it is. */
  async phase(): Promise<string> {
    const live = await this.cluster.get<V1Pod>(`${podsAddress}/${this.name}`);
    return live?.status?.phase ?? "gone";
  }

  /** The last line that it wrote. */
  async log(): Promise<string> {
    return (await this.cluster.send(`${podsAddress}/${this.name}/log?tailLines=1`)).body;
  }
}

/** The text of a script of this folder. */
export function script(file: string): string {
  return readFileSync(path.join(__dirname, file), "utf8");
}

/** Has pods of the visitors' namespace that bear this role reach nobody, where policies hold. */
export async function shutIn(cluster: Cluster, role: string): Promise<void> {
  await post(cluster, `/apis/networking.k8s.io/v1/namespaces/${visitorNamespace}/networkpolicies`, {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: role },
    spec: { podSelector: { matchLabels: { role } }, policyTypes: ["Egress"], egress: [] },
  });
}

/** Removes the visitors and their namespace, if they are there. */
export async function removeVisitors(cluster: Cluster): Promise<void> {
  const address = `/api/v1/namespaces/${visitorNamespace}`;
  await cluster.remove(address);
  await until("the visitors are gone", async () => (await cluster.get(address)) === undefined);
}

const podsAddress = `/api/v1/namespaces/${visitorNamespace}/pods`;

const namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: visitorNamespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
};

function post(cluster: Cluster, address: string, object: object) {
  return cluster.send(address, { body: JSON.stringify(object) });
}

async function servingImage(cluster: Cluster): Promise<string> {
  interface Deployment {
    spec: { predictors: { componentSpecs: { spec: { containers: { image: string }[] } }[] }[] };
  }
  const address = `${backend.addressIn(namespaceNames.models)}/${modelName}`;
  const found = await cluster.get<Deployment>(address);
  const image = found?.spec.predictors[0]?.componentSpecs[0]?.spec.containers[0]?.image;
  if (image === undefined) throw new Error(`${modelName} is not in service`);
  return image;
}

function podOf(name: string, image: string, file: string, env: Readonly<Record<string, string>>) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: visitorNamespace, labels: { role: name } },
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
          command: ["python", "-c", script(file)],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } },
          securityContext: containerSecurity,
        },
      ],
    },
  };
}

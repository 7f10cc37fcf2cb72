import type { LiveNode } from "../../../cli/cluster/nodes";

/** What a node of a test differs in from a healthy one. */
export interface NodeTraits {
  readonly name?: string;
  readonly cpu?: string;
  readonly memory?: string;
  /** Why it is not ready. */
  readonly down?: string;
  readonly cordoned?: boolean;
  readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  readonly architecture?: string;
  readonly runtime?: string;
  /** Each with its name, or names. */
  readonly images?: readonly (string | readonly string[])[];
}

/** A node as the API server sends it: healthy, with 4 CPUs and 6 GiB, amd64 and containerd, unless said otherwise. */
export function node(traits: NodeTraits = {}): LiveNode {
  const { name = "minikube", cpu = "4", memory = "6Gi", down, taints, images = [] } = traits;
  return {
    metadata: { name },
    spec: { unschedulable: traits.cordoned === true, ...(taints === undefined ? {} : { taints }) },
    status: {
      allocatable: { cpu, memory },
      conditions: [
        { type: "Ready", status: down === undefined ? "True" : "False", ...(down && { message: down }) },
      ],
      images: images.map((names) => ({ names: typeof names === "string" ? [names] : names })),
      nodeInfo: {
        architecture: traits.architecture ?? "amd64",
        containerRuntimeVersion: traits.runtime ?? "containerd://1.7.27",
        bootID: "",
        kernelVersion: "",
        kubeProxyVersion: "",
        kubeletVersion: "v1.34.0",
        machineID: "",
        operatingSystem: "linux",
        osImage: "",
        systemUUID: "",
      },
    },
  };
}

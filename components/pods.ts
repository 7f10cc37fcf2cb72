/** What every pod of the platform has in common, as plain data: commands make pods too, without Pulumi's SDK. */
import type { Resources } from "../config/fields";

/** What a container asks for, as Kubernetes writes it. */
export function requirements({ cpu, memory, memoryLimit }: Resources) {
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}

/** A pod as a user without rights. `fsGroup` too, so that it may write to its volumes. */
export function podSecurity(user: number) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** A container without capabilities, on a root file system that it cannot write to. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
};

/** A writable /tmp, which a read-only root file system lacks. */
export const scratch = {
  volumes: [{ name: "tmp", emptyDir: {} }],
  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
};

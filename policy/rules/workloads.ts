import { type Container, containers, type Pod, pods } from "./kubernetes";
import type { Rule } from "./model";
import { at, has, is, isUnknown, join, list } from "./values";

export const restrictedContainers: Rule = {
  name: "restricted-containers",
  description: "Our own containers run as a user without rights, and cannot get any.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => [...pods(resource).flatMap(ofPod), ...containers(resource).flatMap(ofContainer)],
};

export const noServiceAccountToken: Rule = {
  name: "no-service-account-token",
  description: "A pod gets a key to the cluster's API only if it names the account that it is for.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) =>
    pods(resource)
      .filter(
        ({ spec }) => !is(false, spec, "automountServiceAccountToken") && !has(spec, "serviceAccountName"),
      )
      .map(
        ({ path }) =>
          `${join(path, "automountServiceAccountToken")} is not false: set it, or name the account with serviceAccountName`,
      ),
};

function ofPod({ path, spec }: Pod): string[] {
  return [
    ...["hostNetwork", "hostPID", "hostIPC"]
      .filter((key) => spec[key] === true)
      .map((key) => `${join(path, key)} is true, which opens the node to the pod: leave it out`),
    ...list(spec["volumes"]).flatMap((volume, index) =>
      has(volume, "hostPath")
        ? [
            `${join(join(path, "volumes"), index)}.hostPath mounts a folder of the node: use a volume claim or emptyDir`,
          ]
        : [],
    ),
  ];
}

function ofContainer({ path, container, pod }: Container): string[] {
  const context = container["securityContext"];
  const podContext = pod.spec["securityContext"];
  if (isUnknown(context) || isUnknown(podContext)) return [];
  /** The container's own setting, or else the pod's. */
  const effective = (...keys: string[]) => at(context, ...keys) ?? at(podContext, ...keys);
  const where = join(path, "securityContext");
  const faults: string[] = [];

  const nonRoot = effective("runAsNonRoot");
  if (nonRoot !== true && !isUnknown(nonRoot)) {
    faults.push(
      `${where}.runAsNonRoot is not true, nor is the pod's: set it, and a runAsUser if the image names none`,
    );
  }
  if (effective("runAsUser") === 0) {
    faults.push(`${where}.runAsUser is 0, which is root: take any other user`);
  }
  if (!is(false, context, "allowPrivilegeEscalation")) {
    faults.push(`${where}.allowPrivilegeEscalation is not false: set it`);
  }
  if (at(context, "privileged") === true) faults.push(`${where}.privileged is true: leave it out`);

  const drop = at(context, "capabilities", "drop");
  if (!isUnknown(drop) && !list(drop).includes("ALL")) {
    faults.push(`${where}.capabilities.drop lacks ALL: set it to ["ALL"]`);
  }
  const add = list(at(context, "capabilities", "add"));
  if (add.length > 0) faults.push(`${where}.capabilities.add is ${add.join(", ")}: leave it out`);

  // Of a model's pod, Seldon's operator adds a container that no setting reaches; the namespace asks for no more
  // than "baseline" for that reason.
  const seccomp = effective("seccompProfile", "type");
  if (!pod.completed && !isUnknown(seccomp) && seccomp !== "RuntimeDefault" && seccomp !== "Localhost") {
    faults.push(`${where}.seccompProfile.type is not RuntimeDefault, nor is the pod's: set it for either`);
  }
  for (const [index, port] of list(container["ports"]).entries()) {
    if (has(port, "hostPort")) {
      faults.push(`${join(join(path, "ports"), index)}.hostPort opens a port of the node: use a Service`);
    }
  }
  return faults;
}

import type { Finding } from "../../finding";
import type { Check } from "../checks/check";
import { inWords } from "../cluster/kinds";
import type { Cause, Diagnosis } from "../cluster/diagnosis/diagnosis";
import { backend } from "../serving/backend";
import type { Patient } from "./patient";

/** What comes of a fault, by what it is about. A container that only takes its time to start is none. */
const consequences: Readonly<Partial<Record<Cause, string>>> = {
  stuck:
    "Kubernetes does not replace it by itself, so the new revision never comes (kubernetes/kubernetes#67250)",
  crash: "what it is part of does not serve",
  image: "what it is part of does not start",
  configuration: "what it is part of does not start",
  volume: "the pod that needs it does not start",
  room: "what it is part of does not start",
  forbidden: "what it is part of does not start",
  job: "what waits for its result is not made",
  namespace: "nothing can be made in it until it is gone",
};

export const workloadCheck: Check<Patient> = {
  subject: "volumes, pods and Jobs",
  asks: "whether a volume, a pod, a Job or a namespace is in a state that it will not leave by itself",
  find: async (patient) => {
    const findings = await patient.look(patient.namespaces);
    return findings
      .filter(({ severity, stuckPod }) => severity === "error" || stuckPod === true)
      .flatMap((finding) => {
        const means = consequences[finding.cause];
        return means === undefined ? [] : [findingOf(patient, finding, means)];
      });
  },
};

function findingOf({ cluster }: Patient, diagnosis: Diagnosis, means: string): Finding {
  const { object, what, log = [], mend, stuckPod, release, job, model, container } = diagnosis;
  const said = log.length === 0 ? "" : `\n${log.map((line) => `  ${line}`).join("\n")}`;
  const { kind, namespace, name } = object;
  const own = inWords(kind, namespace, name);
  const behind = { Release: release, Job: job, [backend.kind]: model, Pod: container?.pod };
  const concerned = Object.entries(behind).flatMap(([of, its]) =>
    its === undefined ? [] : inWords(of, namespace, its),
  );
  return {
    severity: "error",
    what: own,
    detail: `${what}${said}`,
    means,
    about: [own, ...concerned],
    ...(stuckPod === true
      ? {
          mend: "delete the pod; its volume stays, and the new revision takes its place",
          repair: async () => {
            await cluster.remove(`/api/v1/namespaces/${namespace}/pods/${name}`);
          },
        }
      : { mend: mend ?? "see to its cause, and: npm run up" }),
  };
}

import { inWords } from "../cluster/kinds";
import type { Cause, Finding } from "../cluster/diagnosis/finding";
import type { Check, Patient, Problem } from "./problem";

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

/** Volumes, pods, Jobs and namespaces that will not come right by themselves. */
export const workloadCheck: Check = {
  title: "volumes, pods and Jobs",
  examine: async (patient) => {
    const findings = await patient.look(patient.namespaces);
    return findings
      .filter(({ hopeless, stuckPod }) => hopeless || stuckPod === true)
      .flatMap((finding) => {
        const means = consequences[finding.cause];
        return means === undefined ? [] : [problemOf(patient, finding, means)];
      });
  },
};

function problemOf({ cluster }: Patient, finding: Finding, means: string): Problem {
  const { object, reason, log = [], mend, stuckPod, release, job, model, container } = finding;
  const said = log.length === 0 ? "" : `\n${log.map((line) => `  ${line}`).join("\n")}`;
  const { kind, namespace, name } = object;
  const title = inWords(kind, namespace, name);
  const behind = { Release: release, Job: job, SeldonDeployment: model, Pod: container?.pod };
  const concerned = Object.entries(behind).flatMap(([of, its]) =>
    its === undefined ? [] : inWords(of, namespace, its),
  );
  const problem = { title, found: `${reason}${said}`, means, about: [title, ...concerned] };
  if (stuckPod !== true)
    return { ...problem, mend: { description: mend ?? "see to its cause, and: npm run up" } };
  return {
    ...problem,
    mend: {
      description: "delete the pod; its volume stays, and the new revision takes its place",
      apply: async () => {
        await cluster.remove(`/api/v1/namespaces/${namespace}/pods/${name}`);
      },
    },
  };
}

import type { PodContainer } from "./containers";
import type { Trouble } from "./diagnosis";
import { isAbout } from "./images";
import { type Scene, brief, lastSeen, nameOf } from "./scene";

/** What the startup probe says of a model that others have logged, and what is to be done about it. */
const ofOthers: readonly { readonly said: RegExp; readonly mend: string }[] = [
  {
    said: /^its input example is (not answered|answered wrongly): /,
    mend: "Log the model with an example that it answers, and with the signature of what its server answers; then: npm run models -- update.",
  },
  {
    said: /^its input example is answered otherwise than by its own libraries: /,
    mend: "Take server: mlflow, which has the model's own libraries; or, if both answers are right, parity: off.",
  },
  {
    said: /^its answers cannot be compared: /,
    mend: "Its own libraries compute the file again, and a new pod fetches it: npm run up.",
  },
];

/** Why a container that runs is not ready: what its probe met, if the cluster tells. */
export function probeTrouble(scene: Scene, { pod, spec, status }: PodContainer): Trouble {
  const who = `container ${spec.name} of pod ${nameOf(pod)}`;
  const startedAt = status.state?.running?.startedAt;
  const container = { pod: nameOf(pod), name: spec.name, previous: false };
  const seconds = scene.since(startedAt);
  // Probes of the run before are on record too.
  const failed = scene
    .events(pod, /^Unhealthy$/, /^(Readiness|Startup) probe (failed|errored)/)
    .filter(isAbout(spec.name))
    .findLast((event) => lastSeen(event) >= (startedAt ?? ""));
  const [, kind = "", , what = ""] =
    /^(\w+) probe (failed|errored)[^:]*: ([^]*)/.exec(failed?.message ?? "") ?? [];
  if (failed === undefined) {
    const delay = (spec.startupProbe ?? spec.readinessProbe)?.initialDelaySeconds ?? 0;
    const still = seconds < delay ? `; it is first asked after ${delay} s` : "";
    return {
      cause: "start",
      what: `${who} runs for ${seconds} s and is not ready yet${still}`,
      container,
      severity: "warning",
    };
  }
  // As `ml-app/standardserver/startup.py` says it. The same files and the same server answer the same for ever.
  if (/^row \d+: answers .* where training answered /.test(what))
    return {
      cause: "probe",
      what: `${who} does not answer as at training: ${brief(what)}`,
      mend: "Train the model with the library version that the server has. Until then the version before goes on serving.",
      severity: "error",
      at: lastSeen(failed),
    };
  // The other sentences of that file, of a model that was logged elsewhere.
  const way = ofOthers.find(({ said }) => said.test(what));
  if (way !== undefined)
    return {
      cause: "probe",
      what: `${who} does not go into service: ${brief(what)}`,
      mend: `${way.mend} Until then the version before goes on serving.`,
      severity: "error",
      at: lastSeen(failed),
    };
  return {
    cause: "probe",
    what: `${who} runs for ${seconds} s and is not ready: its ${kind.toLowerCase()} probe meets ${plainly(what)}`,
    mend: `Its log may say what it waits for: kubectl -n ${scene.view.name} logs ${nameOf(pod)} -c ${spec.name}`,
    container,
    severity: "warning",
    at: lastSeen(failed),
  };
}

/** What a probe has met, in words. */
function plainly(what: string): string {
  const port = /:(\d+)[/"]?[^:]*/.exec(what.replace(/https?:\/\//, ""))?.[1] ?? "";
  if (what.includes("connection refused")) return `nobody who listens on port ${port}`;
  if (/deadline exceeded|timeout|timed out/i.test(what)) return "no answer in time";
  const status = /statuscode: (\d+)/.exec(what)?.[1];
  return status ? `HTTP status ${status}` : `"${brief(what)}"`;
}

import { claimFindings, claimsOf } from "./claims";
import { controllerFindings } from "./controllers";
import { type Diagnosis, inOrder } from "./diagnosis";
import { jobFindings } from "./jobs";
import { endingNamespace } from "./namespaces";
import { podFindings } from "./pods";
import { type NamespaceView, Scene, nameOf } from "./scene";

/**
 * Why things in a namespace are not ready: errors first, then the most telling. Nothing for what is well, for what
 * has ended as it should, and for what is being replaced.
 */
export function diagnose(view: NamespaceView, now: Date): Diagnosis[] {
  const scene = new Scene(view, now);
  const ending = endingNamespace(scene);
  // Nothing else can be mended in it.
  if (ending !== undefined) return [ending];
  const claims = claimFindings(scene);
  const jobs = jobFindings(scene);
  const pods = podFindings(scene).filter((finding) => !isToldBy(finding, claims, jobs, view));
  const told = new Set(pods.map(({ job }) => job));
  return inOrder([
    ...pods,
    ...claims,
    ...jobs.filter(({ job }) => !told.has(job)),
    ...controllerFindings(scene),
  ]);
}

/** Whether a pod's finding says less than that of its claim or its Job. */
function isToldBy(
  { cause, job, object }: Diagnosis,
  claims: readonly Diagnosis[],
  jobs: readonly Diagnosis[],
  view: NamespaceView,
): boolean {
  // A pod that has just been started says nothing of the attempts before it.
  if (cause === "start" && jobs.some((one) => one.job === job && job !== undefined)) return true;
  const pod = view.pods.find((one) => nameOf(one) === object.name);
  const waiting = cause === "volume" || cause === "start";
  return waiting && claims.some((claim) => pod && claimsOf(pod).includes(claim.object.name));
}

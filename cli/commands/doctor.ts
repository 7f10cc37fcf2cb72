import { namespaceNames } from "../../components/capabilities";
import type { Finding } from "../../finding";
import { type Check, findingsOf } from "../checks/check";
import { byDoctor, statusCheck } from "../checks/registry";
import { Refused } from "../cluster/cluster";
import type { Diagnosis } from "../cluster/diagnosis/diagnosis";
import { ClusterWatch } from "../cluster/diagnosis/watch";
import { mendsInStack } from "../commandLine";
import { routingFindings } from "../cluster/routing";
import type { Patient } from "../doctor/patient";
import { unexplained } from "../doctor/statusCheck";
import { stackRecord } from "../doctor/stackRecord";
import { treat } from "../doctor/treatment";
import { killEngines } from "../engine/command";
import { onInterruption, stopMilliseconds } from "../interruption";
import { Progress, type Step } from "../progress";
import { stackStatus } from "../status/clusterStatus";
import { type ClusterTarget, clusterTarget } from "../target";

/** Options of `npm run doctor`. */
export interface DoctorOptions {
  readonly stack?: string;
  readonly context?: string;
  /** Mends all that can be mended, without asking. */
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * `npm run doctor`: looks for what keeps the platform from coming up or from working, and mends it when the user
 * agrees.
 *
 * @returns the exit code: 0 nothing was found, or all is mended; 1 something is left.
 */
export async function doctor(options: DoctorOptions): Promise<number> {
  const target = await clusterTarget(options);
  const { cluster, stack, context } = target;
  const progress = Progress.for(options);
  const interruption = onInterruption(killEngines);
  interruption.within(stopMilliseconds);
  try {
    progress.say(`Cluster of context ${context.name}, stack ${stack}: ${target.reason}.\n`);
    const watch = new ClusterWatch(cluster);
    const look = (namespaces: readonly string[]) => watch.look(namespaces);
    let doing: Step = { detail: () => undefined };
    const stepNow: Step = {
      detail: (text) => {
        doing.detail(text);
      },
    };
    const patient: Patient = {
      cluster,
      namespaces: Object.values(namespaceNames),
      stack: stackRecord(stack, cluster, stepNow, interruption.signal),
      look,
      network: () => networkOf(target, stepNow, interruption.signal),
      status: () => stackStatus(cluster, stack, look, options.stack !== undefined),
    };
    const examine = (check: Check<Patient>) =>
      progress.step(check.subject, async (step) => {
        doing = step;
        const found = await findingsOf(check, patient, { unseen: "error" });
        step.detail(found.length === 0 ? "in order" : found.map(({ what }) => what).join("; "));
        return found;
      });
    const found: Finding[] = [];
    for (const check of byDoctor) found.push(...(await examine(check)));
    // Whatever `status` marks is wrong here too, unless it is explained.
    const marked = await examine(statusCheck);
    found.push(...unexplained(marked, found));
    progress.stop();
    return await treat(mendsInStack(found, stack), options, progress, async () =>
      (await findingsOf(statusCheck, patient)).filter(({ severity }) => severity === "error"),
    );
  } finally {
    interruption.dispose();
    progress.stop();
  }
}

/** What a pod finds wrong with names and Services, where the platform is. */
async function networkOf(
  { cluster, stack }: ClusterTarget,
  step: Step,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  if ((await cluster.get(`/api/v1/namespaces/${namespaceNames.tracking}`)) === undefined) return [];
  // The SDK takes a second, for which a cluster without a stack need not wait.
  const [{ imagesOf, mlflowImage }, { recordStack }] = await Promise.all([
    import("../plan/images.js"),
    import("../plan/plan.js"),
  ]);
  try {
    return await routingFindings(cluster, mlflowImage(imagesOf(await recordStack(stack))), step, signal);
  } catch (error) {
    // Whoever may only look is told what there is to see.
    if (error instanceof Refused && error.status === 403) return [];
    throw error;
  }
}

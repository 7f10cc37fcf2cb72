import { namespaceNames } from "../../components/capabilities";
import { Refused } from "../cluster/cluster";
import type { Finding } from "../cluster/diagnosis/finding";
import { ClusterWatch } from "../cluster/diagnosis/watch";
import { routingFindings } from "../cluster/routing";
import { checks } from "../doctor/checks";
import { statusCheck, unexplained, warnings } from "../doctor/statusCheck";
import type { Check, Patient, Problem } from "../doctor/problem";
import { stackRecord } from "../doctor/stackRecord";
import { treat } from "../doctor/treatment";
import { messageOf } from "../errors";
import { onInterruption } from "../interruption";
import { Progress, type Step } from "../progress";
import { stackStatus } from "../status/clusterStatus";
import type { Item } from "../status/item";
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
  const interruption = onInterruption(() => undefined);
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
    let items: readonly Item[] = [];
    const patient: Patient = {
      cluster,
      namespaces: Object.values(namespaceNames),
      stack: stackRecord(stack, cluster, stepNow, interruption.signal),
      look,
      network: () => networkOf(target, stepNow, interruption.signal),
      status: async () => (items = await stackStatus(cluster, stack, look, options.stack !== undefined)),
    };
    const examined = [];
    for (const check of checks)
      examined.push(
        await progress.step(check.title, (step) => {
          doing = step;
          return examine(check, patient, step);
        }),
      );
    const found = examined.flat();
    // Last, and only what nothing has explained yet: whatever `status` marks is a problem here too.
    found.push(
      ...(await progress.step(statusCheck.title, (step) => {
        doing = step;
        return examine(statusCheck, patient, step).then((marked) => unexplained(marked, found));
      })),
    );
    progress.stop();
    return await treat(found, options, progress, {
      warnings: warnings(items, found),
      left: async () => (await examine(statusCheck, patient, stepNow)).map(({ title }) => title),
    });
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
): Promise<readonly Finding[]> {
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

/** One check that fails, such as for want of rights, says nothing of the others. */
async function examine(
  { title, examine: look }: Check,
  patient: Patient,
  step: Step,
): Promise<readonly Problem[]> {
  try {
    const problems = await look(patient);
    step.detail(problems.length === 0 ? "in order" : problems.map((problem) => problem.title).join("; "));
    return problems;
  } catch (error) {
    step.detail(`could not be looked at: ${messageOf(error)}`);
    const mend = { description: "see to that, and run this again" };
    return [{ title, found: messageOf(error), means: "it could not be looked at", mend }];
  }
}

import { agreed, answer, isInteractive } from "./ask";
import { UserError } from "./errors";
import type { Progress } from "./progress";

/** What the user has agreed to beforehand, by options. */
export interface Consent {
  /** To whatever loses no data. @default false */
  readonly yes?: boolean;
  /** The name of the stack whose data may be lost. */
  readonly confirm?: string;
}

/**
 * Says what will happen and asks before something is removed that can be made again.
 *
 * @param what what will happen. Where nobody can be asked the error has it, and it is not said before.
 * @param name the stack: who would lose its data would lose what can be made again.
 * @throws UserError the answer is no, or nobody is here to give one.
 */
export async function askBefore(
  what: string,
  question: string,
  name: string,
  { yes = false, confirm }: Consent,
  progress: Progress,
): Promise<void> {
  const given = yes || confirm === name;
  if (!given && !canAsk(progress))
    throw new UserError(`${what}\nNobody is here to be asked; if that is what you want, add --yes.`);
  progress.say(what);
  if (!given && !(await agreed(question))) throw new UserError("nothing was changed.");
}

/**
 * Says what will be lost, and has the name be typed of what is to lose data.
 *
 * @param what what will be lost. Where nobody can type the error has it, and it is not said before.
 * @param name the stack, or `local`.
 * @throws UserError it was not typed, nobody is here to type it, or `confirm` names another one.
 */
export async function confirmLoss(
  what: string,
  name: string,
  { confirm }: Consent,
  progress: Progress,
): Promise<void> {
  if (confirm === undefined && !canAsk(progress))
    throw new UserError(`${what}\nThat loses data: if it is what you want, add --confirm ${name}.`);
  progress.say(what);
  if (confirm === name) return;
  if (confirm !== undefined)
    throw new UserError(`--confirm names ${confirm}, and this is ${name}: nothing was changed.`);
  if ((await answer(`That loses data. If it is what you want, type ${name}:`)) !== name)
    throw new UserError("nothing was changed.");
}

function canAsk({ mode }: Progress): boolean {
  return isInteractive() && mode !== "json";
}

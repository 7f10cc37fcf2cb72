import { defaultStack } from "./target";

/** The processes of this machine, where a stack is meant else; no stack has a blank in its name. */
export const thisMachine = "this machine";

/** A command as it is typed for a stack, or for this machine: `npm run promote -- churn 4 --stack prod`. */
export function commandLine(
  command: string,
  stack: string = defaultStack,
  ...words: readonly (number | string)[]
): string {
  const where =
    stack === defaultStack ? [] : stack === thisMachine ? ["--target", "local"] : ["--stack", stack];
  const rest = [...words, ...where];
  return [`npm run ${command}`, ...(rest.length === 0 ? [] : ["--", ...rest])].join(" ");
}

/** A text with the project's commands as they are typed for the default stack, as it is for another one. */
export function inStack(text: string, stack: string): string {
  return stack === defaultStack
    ? text
    : text.replace(
        /npm run ([a-z]+)(?: -- ([^\s,.;]+(?: [^\s,.;]+)*))?/g,
        (_, command: string, words?: string) =>
          commandLine(command, stack, ...(words === undefined ? [] : [words])),
      );
}

/** What is wrong, each with what to do about it in a stack. */
export function mendsInStack<T extends { readonly mend?: string }>(all: readonly T[], stack: string): T[] {
  return all.map((one) => (one.mend === undefined ? one : { ...one, mend: inStack(one.mend, stack) }));
}

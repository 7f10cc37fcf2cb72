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

import { defaultStack } from "./target";

/** A command as it is typed for a stack: `npm run promote -- churn 4 --stack prod`. */
export function commandLine(
  command: string,
  stack: string = defaultStack,
  ...words: readonly (number | string)[]
): string {
  const rest = [...words, ...(stack === defaultStack ? [] : ["--stack", stack])];
  return [`npm run ${command}`, ...(rest.length === 0 ? [] : ["--", ...rest])].join(" ");
}

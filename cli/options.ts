/** Options that several commands have. */
import { type Command, Option } from "commander";

import { ownName } from "./engine/reference";

/** Data may be lost. */
export const confirm = () =>
  new Option("--confirm <stack>", "lose this stack's data (`local` on this machine) without being asked");

/** Output for machines. */
export const json = () => new Option("--json", "JSON for machines: one object on a line");

/** The stack that is meant, also by its whole name. */
export const stack = (description: string) => new Option("--stack <name>", description).argParser(ownName);

/** Those that may be given several times. */
const severalTimes = ["--allow", "--image"];

/**
 * Refuses an option that is given twice, of which the last would win, and one that is given nothing, as by a variable of
 * a script that is not set.
 */
export function refuseAmbiguous(command: Command): void {
  const given = new Map<string, Option>();
  for (const option of command.options)
    command.on(`option:${option.name()}`, (value: string | null) => {
      const before = given.get(option.attributeName());
      given.set(option.attributeName(), option);
      const several = option.variadic || severalTimes.includes(option.long ?? "");
      if (before !== undefined && before !== option)
        command.error(`error: option '${before.flags}' cannot be used with option '${option.flags}'`);
      if (before !== undefined && option.required && !several)
        command.error(`error: option '${option.flags}' is given twice, and takes one value`);
      if (option.required && value?.trim() === "")
        command.error(`error: option '${option.flags}' is given nothing: write a value, or leave it out`);
    });
}

/** The options that say which stack and cluster are meant. */
export function withTarget(command: Command, local: boolean): Command {
  command
    .addOption(stack("the stack, Pulumi.NAME.yaml (default: dev)"))
    .option("--context <name>", "context of the kubeconfig (default: the stack's)");
  if (!local) return command;
  return command.addOption(
    new Option(
      "--target <target>",
      "a cluster, or processes of this machine (default: a cluster if there is one)",
    ).choices(["cluster", "local"]),
  );
}

/** Rules that may be broken: one with each time that it is written. */
export const allow = () =>
  new Option(
    "--allow <rule>",
    "in a cluster: let this rule of docs/checks.md be broken; may be given several times",
  ).argParser((rule: string, before?: readonly string[]) => [...(before ?? []), rule]);

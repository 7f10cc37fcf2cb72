import { execFileSync } from "node:child_process";

import type { Command, Option } from "commander";
import { distance } from "fastest-levenshtein";

import { UserError } from "./errors";
import { processTable } from "./processTable";

type Variables = Readonly<Record<string, string | undefined>>;
/** What npm's settings say without a command line, by name, as npm prints it: "undefined" where it knows no such name. */
type Settings = Readonly<Record<string, string>>;

/** An option that stood before `--`: npm took it for its own. */
interface Swallowed {
  readonly flag: string;
  /** The command's option that is meant; undefined if it has none that is like it. */
  readonly option: Option | undefined;
  readonly value: string;
}

/**
 * Refuses what npm has kept for itself: of `npm run down --stack=prod` the command sees no stack, and would do its work
 * on the default one. npm hands such options on only as variables, `npm_config_stack=prod`, beside those of its settings
 * that are not the default: https://github.com/npm/cli/blob/v11.6.0/workspaces/config/lib/set-envs.js
 *
 * @param program all commands, with their options.
 * @param words what the command was given: its name, then all that stood behind `--` or is no option.
 * @param settings asks npm what it has from its files and its environment, which is not the command line's.
 * @throws UserError an option stood before `--`; with the right line to type.
 */
export function refuseSwallowed(
  program: Command,
  words: readonly string[],
  env: Variables = process.env,
  settings: (env: Variables, names: readonly string[]) => Settings = npmSettings,
): void {
  const [name = "", ...rest] = words;
  const command = program.commands.find((one) => one.name() === name);
  // Whoever was not started as this script inherits the variables of some other one.
  if (command === undefined || env["npm_lifecycle_event"] !== name) return;
  const found = candidates(program, command, env);
  if (found.size === 0) return;
  const own = settings(env, [...found.keys()]);
  const swallowed = [...found].flatMap(([key, one]) => {
    const said = [own[key], own[one.flag.slice(2)]].filter(
      (value) => value !== undefined && value !== "undefined",
    );
    // What npm knows is npm's, unless the command has the very same: `--force` is no misspelt `--forget`.
    if (said.length > 0 && one.option?.long !== one.flag) return [];
    // An array is printed with commas, and has blank lines in a variable.
    return said.includes(one.value.replaceAll("\n\n", ",")) ? [] : [one];
  });
  if (swallowed.length > 0) throw refusal(command, swallowed, rest);
}

/** The variables that may be options of the command: named as one of any command, or nearly as one of its own. */
function candidates(program: Command, command: Command, env: Variables): Map<string, Swallowed> {
  const anywhere = new Set(program.commands.flatMap(({ options }) => options.map(({ long }) => long)));
  const found = new Map<string, Swallowed>();
  for (const [variable, value] of Object.entries(env)) {
    const [, key] = /^npm_config_(.+)$/.exec(variable) ?? [];
    if (key === undefined || value === undefined) continue;
    const flag = `--${key.replaceAll("_", "-")}`;
    const option = nearest(command.options, flag);
    if (option === undefined && !anywhere.has(flag)) continue;
    // npm tells "no" by an empty text, as it does for `yes=false` in a settings file.
    if (value === "" && option?.isBoolean() !== false) continue;
    found.set(key, { flag, option, value });
  }
  return found;
}

function nearest(options: readonly Option[], flag: string): Option | undefined {
  const allowed = flag.length > "--port".length ? 2 : 1;
  const near = options.map((option) => ({ option, away: distance(option.long ?? "", flag) }));
  return near.filter(({ away }) => away <= allowed).sort((one, other) => one.away - other.away)[0]?.option;
}

function refusal(command: Command, swallowed: readonly Swallowed[], rest: readonly string[]): UserError {
  const name = command.name();
  const typed = swallowed.map(({ flag, value }) => (value === "true" ? flag : `${flag}=${value}`)).join(", ");
  const strange = swallowed.filter(({ option }) => option === undefined).map(({ flag }) => flag);
  const misspelt = swallowed.some(({ flag, option }) => option?.long !== flag);
  const mend =
    strange.length > 0
      ? `${name} has no option ${strange.join(", ")}; see: npm run ${name} -- --help`
      : `Nothing was done. ${misspelt ? "Perhaps you mean" : "Type"}: ${rightLine(name, swallowed, rest)}`;
  return new UserError(`npm kept ${typed} for itself: options of a command stand behind \`--\`. ${mend}`);
}

/** The line that the user meant. Of `--stack prod` npm has kept the first word and handed on the second. */
function rightLine(name: string, swallowed: readonly Swallowed[], rest: readonly string[]): string {
  const [bare, complete] = partition(
    swallowed,
    ({ option, value }) => option?.isBoolean() === false && value === "true",
  );
  const words = complete.flatMap(({ option, value }) => {
    const long = option?.long ?? "";
    if (option?.isBoolean()) return value === "true" ? [long] : [long, value];
    return value.split("\n\n").map((one) => `${long}=${one}`);
  });
  const [only] = bare;
  const known = bare.length === 0 || (bare.length === 1 && rest[0]?.startsWith("-") === false);
  const line = ["npm run", name, "--", ...words.map(quoted)];
  if (known) line.push(...(only?.option?.long === undefined ? [] : [only.option.long]), ...rest.map(quoted));
  else
    line.push(
      ...bare.map(({ option }) => `${option?.long ?? ""} ${placeholder(option)}`),
      ...(rest.length > 0 ? ["…"] : []),
    );
  return line.join(" ");
}

function placeholder(option: Option | undefined): string {
  return /<(.+)>/.exec(option?.flags ?? "")?.[1]?.toUpperCase() ?? "VALUE";
}

function partition<T>(all: readonly T[], fits: (one: T) => boolean): [T[], T[]] {
  return [all.filter(fits), all.filter((one) => !fits(one))];
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Asks the npm that runs the command for its settings, without the command line: they are of settings files
 * (`python=…` is node-gyp's) or of variables that npm itself was started with.
 */
function npmSettings(env: Variables, names: readonly string[]): Settings {
  const outside = (key: string) => processTable.variable(process.ppid, `npm_config_${key}`);
  // npm within a script of npm got them from there, and there they may have been on the command line.
  const nested = processTable.variable(process.ppid, "npm_lifecycle_event") !== undefined;
  const given = Object.fromEntries(
    names.map((key) => [`npm_config_${key}`, nested ? undefined : outside(key)]),
  );
  // Settings files may write a name either way. One name alone would be answered without it, so there is one more.
  const asked = new Set(["prefix", ...names, ...names.map((key) => key.replaceAll("_", "-"))]);
  try {
    const answer = execFileSync(process.execPath, [env["npm_execpath"] ?? "", "config", "get", ...asked], {
      ...{ encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] },
      ...{ env: { ...env, ...given }, cwd: env["npm_config_local_prefix"] },
    });
    return Object.fromEntries(
      answer.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
    );
  } catch {
    return {};
  }
}

import { execFileSync } from "node:child_process";

import type { Command, Option } from "commander";
import { distance } from "fastest-levenshtein";

import { UserError } from "./errors";
import { processTable } from "./processTable";

type Variables = Readonly<Record<string, string | undefined>>;
/** What npm has from elsewhere than its command line. */
interface Outside {
  /** What it has from its files, or by default, by name, as text: "undefined" where it knows no such name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The variables of this kind that it was started with, by name; undefined if that cannot be told. */
  readonly variables: Variables | undefined;
  /** Whether it runs within a script of npm: those variables may have been on the command line there. */
  readonly nested: boolean;
}

/** An option that stood before `--`: npm took it for its own. */
interface Swallowed {
  readonly flag: string;
  /** The command's option that is meant; undefined if it has none that is like it. */
  readonly option: Option | undefined;
  readonly value: string;
  /** Whether it is an option of ours, or nearly. If not, it is for npm to say whether it is one at all. */
  readonly ours: boolean;
}

/** What npm tells every script, whatever it was started with: `set-envs.js`, as above, and usual settings. */
const always = new Set(
  (
    "global_prefix local_prefix node_gyp npm_version user_agent cache globalconfig userconfig init_module noproxy " +
    "prefix registry cafile proxy https_proxy audit fund loglevel update_notifier"
  ).split(" "),
);
/** Options of ours that node-gyp takes as variables, too: https://github.com/nodejs/node-gyp#environment-variables */
const nodeGyp = new Set(["--target", "--python"]);

/**
 * Refuses what npm has kept for itself: of `npm run down --stack=prod` the command sees no stack, and would do its work
 * on the default one. npm hands such options on only as variables, `npm_config_stack=prod`, beside those of its settings
 * that are not the default: https://github.com/npm/cli/blob/v11.6.0/workspaces/config/lib/set-envs.js
 *
 * @param program all commands, with their options.
 * @param words what the command was given: its name, then all that stood behind `--` or is no option.
 * @param outside asks npm what it has from its files and its environment, which is not the command line's.
 * @throws UserError an option stood before `--`, or is a variable that does not reach the command; with the right line
 *   to type.
 */
export function refuseSwallowed(
  program: Command,
  words: readonly string[],
  env: Variables = process.env,
  outside: (env: Variables, names: readonly string[]) => Outside = npmOutside,
): void {
  const [name = "", ...rest] = words;
  const command = program.commands.find((one) => one.name() === name);
  // Whoever was not started as this script inherits the variables of some other one.
  if (command === undefined || env["npm_lifecycle_event"] !== name) return;
  const found = candidates(program, command, env);
  if (found.size === 0) return;
  const { settings, variables, nested } = outside(env, [...found.keys()]);
  const swallowed: Swallowed[] = [];
  const unheard: Swallowed[] = [];
  for (const [key, one] of found) {
    const said = settings[key] === "undefined" ? undefined : settings[key];
    const exact = one.option?.long === one.flag;
    // What npm knows is npm's, unless the command has the very same: `--force` is no misspelt `--forget`.
    if (said !== undefined && !exact) continue;
    // An array is printed with commas, and has blank lines in a variable.
    if (said === (one.option?.negate ? "false" : one.value.replaceAll("\n\n", ","))) continue;
    if (!one.ours) {
      if (settings[key] === "undefined" && variables !== undefined && variables[key] === undefined)
        swallowed.push(one);
    } else if (nested || variables?.[key] !== one.value) swallowed.push(one);
    else if (exact && said === undefined && meansUs(one)) unheard.push(one);
  }
  if (swallowed.length > 0) throw refusal(command, swallowed, rest);
  if (unheard.length > 0) {
    const typed = unheard.map(
      ({ flag, value }) => `npm_config_${flag.slice(2).replaceAll("-", "_")}=${value}`,
    );
    throw new UserError(
      `an option is not taken from a variable: ${typed.join(", ")}. ` +
        `Nothing was done. Unset it, or type: ${rightLine(name, unheard, rest)}`,
    );
  }
}

/** Whether a variable of an option's name is meant for the command, and not for node-gyp or to say no. */
function meansUs({ flag, option, value }: Swallowed): boolean {
  if (value === "false" && !takesValue(option)) return false;
  return !nodeGyp.has(flag) || option?.argChoices?.includes(value) === true;
}

/** The variables that may be options of the command, by what npm calls them. */
function candidates(program: Command, command: Command, env: Variables): Map<string, Swallowed> {
  const anywhere = new Set(program.commands.flatMap(({ options }) => options.map(({ long }) => long)));
  const found = new Map<string, Swallowed>();
  for (const [variable, value] of Object.entries(env)) {
    const key = /^npm_config_([a-z][^/@:]*)$/i.exec(variable)?.[1]?.toLowerCase().replaceAll("-", "_");
    if (key === undefined || value === undefined || always.has(key)) continue;
    // npm takes capital letters too, and says in small ones what its command line had instead.
    if (variable !== `npm_config_${key}` && env[`npm_config_${key}`] !== undefined) continue;
    const flag = `--${key.replaceAll("_", "-")}`;
    const no = command.options.find(({ negate, long }) => negate && long === flag.replace("--", "--no-"));
    // npm makes "no" of `--no-refresh`, and tells that by an empty text, as it does for `yes=false` in a settings file.
    if (no?.long !== undefined && value === "")
      found.set(key, { flag: no.long, option: no, value: "true", ours: true });
    const option = nearest(command.options, flag);
    if (value === "" && !takesValue(option)) continue;
    found.set(key, { flag, option, value, ours: option !== undefined || anywhere.has(flag) });
  }
  return found;
}

/** The option that is meant by a word: that of this name, or of one that begins so or is written nearly so. */
function nearest(options: readonly Option[], flag: string): Option | undefined {
  const allowed = flag.length > "--port".length ? 2 : 1;
  const away = ({ long = "" }: Option) => {
    const begins = flag.length >= "--sta".length && long.startsWith(flag);
    return Math.min(distance(long, flag), begins ? 1 : Infinity);
  };
  const near = options.map((option) => ({ option, away: away(option) }));
  return near.filter((one) => one.away <= allowed).sort((one, other) => one.away - other.away)[0]?.option;
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
    ({ option, value }) => takesValue(option) && value === "true",
  );
  const words = complete.flatMap(({ option, value }) => {
    const long = option?.long ?? "";
    if (!takesValue(option)) return /^(?:true|1|yes|on)$/i.test(value) ? [long] : [long, value];
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

function takesValue(option: Option | undefined): boolean {
  return option !== undefined && (option.required || option.optional);
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
 * Asks the npm that runs the command for what it has without the command line: from settings files (`python=…` is
 * node-gyp's), or from variables that npm itself was started with.
 */
function npmOutside(env: Variables, names: readonly string[]): Outside {
  const spellings = (key: string) => [`npm_config_${key}`, `NPM_CONFIG_${key.toUpperCase()}`];
  const variable = (name: string) => processTable.variable(process.ppid, name);
  const nested = variable("npm_lifecycle_event") !== undefined;
  const given = (key: string) =>
    spellings(key)
      .map(variable)
      .find((value) => value !== undefined);
  const variables =
    variable("PATH") === undefined ? undefined : Object.fromEntries(names.map((key) => [key, given(key)]));
  const unset: Variables = Object.fromEntries(names.flatMap(spellings).map((name) => [name, undefined]));
  const ask = (...args: string[]) =>
    execFileSync(process.execPath, [env["npm_execpath"] ?? "", "config", ...args], {
      ...{ encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] },
      ...{ env: { ...env, ...unset }, cwd: env["npm_config_local_prefix"] },
    });
  try {
    // Settings files may write a name with either dash, and with capital letters; a variable has them not.
    const all = Object.entries(JSON.parse(ask("list", "--json")) as Record<string, unknown>);
    const told = new Map(all.map(([key, value]) => [key.replaceAll("-", "_").toLowerCase(), String(value)]));
    // That one is changed by the question.
    if (names.includes("json")) told.set("json", ask("get", "json").trim());
    const settings = Object.fromEntries(names.map((key) => [key, told.get(key) ?? "undefined"]));
    return { settings, variables, nested };
  } catch {
    return { settings: {}, variables, nested };
  }
}

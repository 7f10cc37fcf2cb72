import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

import { parse } from "yaml";

import { readText } from "../../config/readText";
import { UserError } from "../errors";
import { homeDir, projectDir, shown } from "../paths";
import { referenceOf } from "./reference";
import { encryptsItself, hasOwnSalt, saltedStacks, stackDir } from "./settings";

/** Where a stack's state lies, and how its secrets are encrypted. */
export interface Backend {
  /** Address of the backend; empty for the one that the Pulumi CLI is logged in to, where that names none. */
  readonly url: string;
  /** It is the project's own folder, made here. */
  readonly own: boolean;
  /** Variables that make the Pulumi CLI use it. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The user's backend if there is one, else a folder of the project; the user's passphrase if there is one, else one
 * that is generated and kept in a file that nobody else can read.
 *
 * @throws UserError the stack's file is encrypted with a passphrase that is not here.
 */
export function chooseBackend(stack: string): Backend {
  const chosen = usersBackend();
  const url = chosen ?? ownBackend();
  const variables = chosen === undefined ? { PULUMI_BACKEND_URL: url } : {};
  return { url, own: chosen === undefined, env: { ...variables, ...passphrase(stack, url) } };
}

/** The backend that the user has chosen, as the Pulumi CLI finds it; undefined if there is none. */
export function usersBackend(): string | undefined {
  // A variable that is empty counts as none: a CI sets a secret so that it does not have.
  const set = (variable: string) => (process.env[variable] === "" ? undefined : process.env[variable]);
  const named = set("PULUMI_BACKEND_URL") ?? projectBackend();
  if (named !== undefined && named !== "") return named;
  if (set("PULUMI_ACCESS_TOKEN") !== undefined) return "https://api.pulumi.com";
  const folder = set("PULUMI_CREDENTIALS_PATH") ?? set("PULUMI_HOME") ?? path.join(homedir(), ".pulumi");
  try {
    const credentials = JSON.parse(readText(path.join(folder, "credentials.json"))) as {
      current?: string;
    };
    return credentials.current === "" ? undefined : credentials.current;
  } catch {
    return undefined;
  }
}

function projectBackend(): string | undefined {
  const project = parse(readText(path.join(projectDir, "Pulumi.yaml"))) as {
    backend?: { url?: string };
  };
  return project.backend?.url;
}

/** The project's own folder for states; made if it is missing. */
function ownBackend(): string {
  const folder = path.join(homeDir(), "state");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return pathToFileURL(folder).href;
}

function passphrase(stack: string, url: string): Record<string, string> {
  const given = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (given.some((name) => process.env[name] !== undefined)) return {};
  const file = path.join(homeDir(), "passphrase");
  // Pulumi's service encrypts by itself.
  if (/^https?:/.test(url)) return {};
  if (encryptsItself(stack)) {
    if (!hasOwnSalt(stack)) return {};
    if (!existsSync(file)) {
      throw new UserError(
        `Pulumi.${stack}.yaml has secrets, encrypted with a passphrase that is not here: ` +
          `set PULUMI_CONFIG_PASSPHRASE_FILE (or PULUMI_CONFIG_PASSPHRASE) to that of whoever wrote it.`,
      );
    }
  }
  if (!existsSync(file)) {
    const locked = saltedStacks();
    if (locked.length > 0)
      throw new UserError(
        `the passphrase of ${locked.join(", ")} is gone: ${shown(file)}. Put it back from a copy, or set ` +
          `PULUMI_CONFIG_PASSPHRASE_FILE to where it is: without it nobody can read the passwords in the state. If it ` +
          `is lost, and what they open is not needed any more, remove ` +
          `${locked.map((name) => shown(stackDir(name))).join(", ")} and the state, and begin anew.`,
      );
    writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } else if ((statSync(file).mode & 0o077) !== 0) {
    chmodSync(file, 0o600);
  }
  return { PULUMI_CONFIG_PASSPHRASE_FILE: file };
}

/** Shell lines with which the plain Pulumi CLI works on the same stack. */
export function plainCommands(stack: string, { env, url }: Backend, settings: string): string[] {
  // The program finds the lock of a stack of dev by it.
  const home = process.env["MLPLATFORM_HOME"];
  const all = { ...env, ...(home ? { MLPLATFORM_HOME: home } : {}) };
  const variables = Object.entries(all).map(([name, value]) => `${name}='${value}'`);
  return [
    ...(variables.length === 0 ? [] : [`export ${variables.join(" ")}`]),
    `pulumi preview --stack ${referenceOf(stack, { url })} --config-file ${shown(settings)}`,
  ];
}

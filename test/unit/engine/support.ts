import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** Variables of this process, as a test sets them until it gives them back; undefined unsets one. */
export class Variables {
  private readonly before = new Map<string, string | undefined>();

  set(values: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (!this.before.has(name)) this.before.set(name, process.env[name]);
      put(name, value);
    }
  }

  restore(): void {
    for (const [name, value] of this.before) put(name, value);
    this.before.clear();
  }
}

function put(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}

/** A folder of a test, below the one for temporary files. */
export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "mlplatform-test-"));
}

/** Variables that leave the Pulumi CLI, and the project, with nothing but an empty folder of their own. */
export function isolated(home: string): Record<string, string | undefined> {
  return {
    HOME: home,
    MLPLATFORM_HOME: path.join(home, "mlplatform"),
    PULUMI_HOME: path.join(home, "pulumi"),
    ...{ PULUMI_BACKEND_URL: undefined, PULUMI_ACCESS_TOKEN: undefined, PULUMI_CREDENTIALS_PATH: undefined },
    ...{ PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined },
    PULUMI_DEBUG_PROVIDERS: undefined,
  };
}

/**
 * Has the project be in another folder.
 *
 * @param files what is there, by name.
 * @returns what gives the real one back.
 */
export async function projectIn(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<() => void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  const paths = await import("../../../cli/paths.js");
  const { projectDir } = paths;
  const put = (where: string) => Object.assign(paths, { projectDir: where });
  put(folder);
  return () => {
    put(projectDir);
  };
}

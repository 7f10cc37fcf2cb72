import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

import { messageOf } from "../../cli/errors";
import { lockFileName } from "../../config/lock";
import { type CommandEvent, npmRun } from "./commands";
import type { TestStack } from "./testStack";

interface PreviewEvent extends CommandEvent {
  readonly event: "preview";
  readonly changes: Readonly<Record<string, number>>;
  readonly drift: readonly object[];
}

/**
 * Previews the stack from another home, as a machine does that has the project, the state's address and its passphrase:
 * without what was decided, with it, and where there is no such state.
 */
export async function previewElsewhere({ name, home }: Pick<TestStack, "name" | "home">): Promise<string> {
  const other = mkdtempSync(path.join(tmpdir(), "mlplatform-elsewhere-"));
  const state = path.join(home, "state");
  const preview = (folder: string) =>
    npmRun("preview", ["--target", "cluster", "--stack", name], () => undefined, {
      MLPLATFORM_HOME: other,
      PULUMI_CREDENTIALS_PATH: other,
      PULUMI_BACKEND_URL: pathToFileURL(folder).href,
      PULUMI_CONFIG_PASSPHRASE_FILE: path.join(home, "passphrase"),
    });
  const refusal = (folder: string) =>
    preview(folder).then(
      () => "not refused",
      (error: unknown) => messageOf(error),
    );
  try {
    const undecided = await refusal(state);
    if (!undecided.includes("would be taken out of service")) throw new Error(undecided);
    copyFileSync(path.join(home, lockFileName(name)), path.join(other, lockFileName(name)));
    const none = path.join(other, "none");
    const missing = await refusal(none);
    if (!missing.includes(`there is no stack ${name} in ${none}`)) throw new Error(missing);
    if (existsSync(none)) throw new Error(`a preview has made ${none}`);
    const told = (await preview(state)).find((event): event is PreviewEvent => event.event === "preview");
    const { same = 0, ...others } = told?.changes ?? {};
    if (same === 0 || Object.keys(others).length > 0 || told?.drift.length !== 0)
      throw new Error(`changes where there are none: ${JSON.stringify(told)}`);
    return `${same} resources, no changes; refused without what was decided, and without the state`;
  } finally {
    rmSync(other, { recursive: true });
  }
}

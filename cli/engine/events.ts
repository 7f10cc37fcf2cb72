import { dockerImage } from "../../policy/rules/references";
import type { EngineEvent } from "@pulumi/pulumi/automation";

/**
 * Whether an event may be shown or kept. The Node SDK's debug messages are none of these: they repeat each resource's
 * inputs and outputs with the secrets laid open, and the engine passes them on in its event stream, asked for or not
 * (seen with SDK 3.248 and engine 3.250).
 */
export function mayBeShown({ diagnosticEvent }: EngineEvent): boolean {
  // The SDK's type does not know this severity, though the engine sends it.
  const severity: string | undefined = diagnosticEvent?.severity;
  return severity !== "debug" && diagnosticEvent?.prefix !== "debug: ";
}

/** A message of the engine without colours, and without the heading that providers put above their errors. */
export function plainMessage(message: string): string {
  const uncoloured = message.replaceAll(/<\{%[^%]*%\}>/g, "").trim();
  return uncoloured.replace(/^\d+ errors? occurred:\s*\* /, "");
}

const shownBuildLines = 12;

/** What BuildKit tells of a step beside what that writes: its name again and that it failed, as the error says too. */
const failedStep = /^digest: .*\n.*\nerror: .*$/gm;
const stepDigest = /^digest: .*$/gm;

/** What builds of images say last: the error of one that fails has only its exit code. */
export class BuildLogs {
  private readonly lines = new Map<string, readonly string[]>();

  add(urn: string | undefined, message: string): void {
    if (urn?.split("::")[2]?.endsWith(dockerImage) !== true) return;
    const said = plainMessage(message)
      .replaceAll(failedStep, "")
      .replaceAll(stepDigest, "")
      .split(/[\r\n]+/)
      .filter((line) => line.trim() !== "");
    this.lines.set(urn, [...(this.lines.get(urn) ?? []), ...said].slice(-shownBuildLines));
  }

  /** To stand behind the error; empty where nothing was said. */
  excerpt(urn: string | undefined): string {
    const said = this.lines.get(urn ?? "") ?? [];
    return said.length === 0 ? "" : `\n${said.map((line) => `    ${line}`).join("\n")}`;
  }
}

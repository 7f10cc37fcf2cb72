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

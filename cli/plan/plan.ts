import * as pulumi from "@pulumi/pulumi";

import type { LockUse, PlatformConfig } from "../../config";
import { type Violation, environmentOf, findings } from "../../policy/rules";
import { UserError, messageOf } from "../errors";
import { unknownHere } from "./environments";
import { evaluate } from "./evaluate";
import { type ChartUse, type ImageUse, chartsOf, imagesOf } from "./images";
import { policyResources } from "./policy";
import type { Recording } from "./recording";
import { type StackConfig, readStackConfig } from "./stackFiles";

/** What a stack would become, found out without anything but this project. */
export interface Plan {
  readonly recording: Recording;
  readonly images: readonly ImageUse[];
  readonly charts: readonly ChartUse[];
  readonly findings: readonly Violation[];
}

/**
 * Evaluates the project's program for a stack, with the configuration of the stack's file.
 *
 * @param lock what holds for the names in the registry. @default nothing of them is read
 * @param config the configuration, where it was read already.
 * @throws UserError there is no such stack, or its configuration is wrong: with all that is wrong.
 */
export async function planOf(
  stack: string,
  lock: LockUse = "assume all",
  config?: StackConfig,
): Promise<Plan> {
  const recording = await recordStack(stack, lock, config);
  const resources = policyResources(recording);
  return {
    recording,
    images: imagesOf(recording),
    charts: chartsOf(recording),
    findings: findings(resources, environmentOf(resources, stack)),
  };
}

/** The recording alone, with every model: also those that a first `up` leaves out, until their training is done. @throws UserError as {@link planOf} does. */
export async function recordStack(
  stack: string,
  lock: LockUse = "assume all",
  config: StackConfig = readStackConfig(stack),
): Promise<Recording> {
  // Loaded here: the SDK takes a second, for which a wrong name should not have to wait.
  const { default: program } = await import("../../index.js");
  const unknown = unknownHere(config);
  try {
    const recording = await forUsers(evaluate(() => program(lock), config));
    if (unknown === undefined) return recording;
    const notice = {
      severity: "warning",
      message: `${unknown}: this is what there is without them.`,
      urn: "",
    } as const;
    return { ...recording, notices: [notice, ...recording.notices] };
  } catch (error) {
    if (unknown === undefined || !(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}\n  But ${unknown}: what is missing may stand there.`);
  }
}

/**
 * The configuration of a stack, as the program reads it, without what was decided of the names in the registry.
 *
 * @param revealed values that hold in place of the file's, by their key: those with secrets, in plain text.
 * @throws UserError as {@link planOf} does.
 */
export async function platformConfig(
  stack: string,
  revealed: Readonly<Record<string, string>>,
): Promise<PlatformConfig> {
  const { loadConfig } = await import("../../config.js");
  const written = readStackConfig(stack);
  const loaded: PlatformConfig[] = [];
  const options = { ...written, config: { ...written.config, ...revealed } };
  await forUsers(evaluate(() => void loaded.push(loadConfig("ignore")), options));
  const [config] = loaded;
  if (config === undefined) throw new Error("the program has not read its configuration");
  return config;
}

/** What comes of the program, or what it reports on purpose as an error for users. */
async function forUsers<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    const messages = userMessages(error);
    if (messages === undefined) throw error;
    throw new UserError(messages.join("\n"));
  }
}

/** The messages of errors that the program reports on purpose; undefined if one of them is a fault of the program. */
function userMessages(error: unknown): readonly string[] | undefined {
  if (error instanceof AggregateError) {
    const all = error.errors.map(userMessages);
    return all.every((messages) => messages !== undefined) ? all.flat() : undefined;
  }
  if (pulumi.InputPropertiesError.isInstance(error))
    return [error.message, ...error.errors.map(({ propertyPath, reason }) => `  ${propertyPath}: ${reason}`)];
  if (pulumi.InputPropertyError.isInstance(error)) return [`${error.propertyPath}: ${error.reason}`];
  const deliberate =
    error instanceof UserError || pulumi.RunError.isInstance(error) || pulumi.ResourceError.isInstance(error);
  return deliberate ? [messageOf(error)] : undefined;
}

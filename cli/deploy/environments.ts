import { listed } from "../../config/words";
import { usersBackend } from "../engine/backend";
import { revealedConfig } from "../engine/revealed";
import { UserError } from "../errors";
import { homeDir, shown } from "../paths";
import { keepOpened } from "../plan/environments";
import { readStackConfig } from "../plan/stackFiles";
import type { Progress } from "../progress";
import { prepareEngine } from "./prepared";

/**
 * Has the engine read what a stack takes from environments of Pulumi ESC, so that it is known what the stack declares
 * before it is changed.
 *
 * @param must whether the stack is made if it is not there, or must be. @default made
 * @throws UserError the stack's state is where no environments are, or one cannot be opened.
 */
export async function openEnvironments(
  stack: string,
  progress: Progress,
  signal: AbortSignal,
  must: "made" | "there" = "made",
): Promise<void> {
  const { environments } = readStackConfig(stack);
  if (environments.length === 0) return;
  const backend = usersBackend();
  if (backend === undefined || !/^https?:/.test(backend))
    throw new UserError(
      `Pulumi.${stack}.yaml takes values from environments of Pulumi ESC (${listed(environments)}), which only a service of ` +
        `Pulumi opens, and the state of the stack is in ${backend ?? shown(homeDir())}: log in to a service ` +
        "(pulumi login), or bring the values into the file.",
    );
  const engine = await prepareEngine(progress, signal);
  await progress.step("environments of Pulumi ESC", async (step) => {
    keepOpened(stack, await revealedConfig(stack, engine, must));
    step.detail(`opened ${listed(environments)}`);
  });
}

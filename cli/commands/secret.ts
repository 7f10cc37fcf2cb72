import { environments } from "../../config/fields";
import { namespace, placeOf } from "../../config/mistakes";
import { configSchema } from "../../config/schema";
import { secretKeys } from "../../config/walk";
import { nearest } from "../../config/words";
import { killEngines } from "../engine/command";
import { findOrBuildEngine } from "../engine/engine";
import { EngineStack } from "../engine/stack";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { readStackConfig } from "../plan/stackFiles";
import { Progress } from "../progress";
import { readSecret } from "../secretInput";
import { defaultStack } from "../target";

/** Options of `npm run secret`. */
export interface SecretOptions {
  /** @default dev */
  readonly stack?: string;
  readonly json?: boolean;
}

/** The keys that take a secret, such as `database.password`. */
export function secretPlaces(): string[] {
  const places = environments.flatMap((environment) => secretKeys(configSchema(environment)).map(placeOf));
  return [...new Set(places.map((place) => place.slice(namespace.length + 1)))].sort();
}

/**
 * `npm run secret`: writes a secret into `Pulumi.<stack>.yaml`, encrypted; also of a stack that was never up.
 *
 * @param key with or without the namespace `mlplatform:`.
 * @throws UserError there is no such key or stack, or the secret cannot be one; nothing is changed.
 */
export async function secret(key: string, options: SecretOptions): Promise<void> {
  const { stack = defaultStack } = options;
  const place = checkedPlace(key);
  readStackConfig(stack);
  const value = await readSecret(`${place} of stack ${stack}`);
  const progress = Progress.for(options);
  const interruption = onInterruption(killEngines);
  interruption.within(stopMilliseconds);
  try {
    await progress.step("secret", async (step) => {
      const engine = await findOrBuildEngine(step, interruption.signal);
      const opened = await EngineStack.open(stack, engine, { prebuilt: {} });
      interruption.signal.throwIfAborted();
      await opened.setSecret(`${namespace}:${place}`, value);
      step.detail(`${place} stands encrypted in Pulumi.${stack}.yaml`);
    });
    progress.event({ event: "secret", stack, key: place });
  } finally {
    interruption.dispose();
    progress.stop();
  }
}

function checkedPlace(key: string): string {
  const place = key.replace(`${namespace}:`, "");
  const places = secretPlaces();
  if (places.includes(place)) return place;
  const meant = nearest(place, places);
  throw new UserError(
    `${key} is no secret of the configuration${meant === undefined ? "." : `; did you mean ${meant}?`} ` +
      `Secrets are ${places.join(", ")}.`,
  );
}

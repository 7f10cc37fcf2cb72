import { rollBackIn } from "../registry/promotion/rollingBack";
import { rollBackHere } from "../local/moving/move";
import { type MoveOptions, withScene } from "./promote";

/**
 * `npm run rollback -- NAME`: returns to the version that served before the one in service.
 *
 * @throws UserError nobody knows which that is; or it does not come into service, and what is in service then.
 */
export async function rollback(name: string, options: MoveOptions): Promise<void> {
  await withScene(name, options, { here: (how) => rollBackHere(name, how), cluster: rollBackIn });
}

import type { Backend } from "../backend";
import { interruptCommands } from "./command";
import { images } from "./images";
import { objects } from "./objects";
import { releases } from "./releases";

/** A real cluster behind the stand-in providers, driven by `kubectl`, `helm` and `docker` as a user would. */
export function kubectlBackend(context: string): Backend {
  let calls = 0;
  let stop = new AbortController();
  return {
    ...objects(context, () => stop.signal),
    ...releases(context),
    ...images(),
    cancel: () => {
      stop.abort(new Error("the engine was told to stop"));
      interruptCommands();
    },
    expectContext: (named) => {
      // Each run of the engine begins with this.
      stop = new AbortController();
      if (named !== "" && named !== context)
        throw new Error(`the stand-in providers change context ${context}, and the program names ${named}`);
    },
    began: () => {
      calls += 1;
      return Promise.resolve(calls);
    },
    ended: () => Promise.resolve(),
  };
}

import type { Backend } from "../backend";
import { images } from "./images";
import { objects } from "./objects";
import { releases } from "./releases";

/** A real cluster behind the stand-in providers, driven by `kubectl`, `helm` and `docker` as a user would. */
export function kubectlBackend(context: string): Backend {
  let calls = 0;
  return {
    ...objects(context),
    ...releases(context),
    ...images(),
    expectContext: (named) => {
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

import { expect } from "chai";

import { checkStores } from "../../../cli/deploy/stores";
import type { Engine } from "../../../cli/engine/engine";
import type { Plan } from "../../../cli/plan/plan";
import { Progress } from "../../../cli/progress";
import type { ClusterTarget } from "../../../cli/target";
import { outputOf } from "../support/output";

describe("the step that asks stores outside of the cluster", () => {
  it("is none where database and store are in it", async () => {
    const plan = {
      recording: { resources: [{ type: "mlplatform:database:PostgresChart" }] },
    } as unknown as Plan;
    // Whoever asked them for anything would fail.
    const [target, engine] = [{} as ClusterTarget, {} as Engine];
    const { out } = await outputOf(() =>
      checkStores(target, plan, engine, new Progress("json"), new AbortController().signal),
    );
    expect(out).to.equal("");
  });
});

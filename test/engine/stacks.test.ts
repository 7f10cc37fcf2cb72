import { expect } from "chai";

import { seldonCrd } from "../standins/charts";
import { Lane } from "./support/lane";
import type { Outcome } from "./support/protocol";
import { disguises, passwords } from "./support/secrets";
import { setting } from "./support/setting";

/** The life of a stack, from nothing to nothing. */
interface Life {
  readonly up: Outcome;
  readonly inventory: readonly string[];
  readonly preview: Outcome;
  readonly refresh: Outcome;
  readonly found: readonly string[];
  /** Set where the stack protects its data. */
  readonly refused?: Outcome;
  readonly left: readonly string[];
  readonly faults: readonly string[];
}

const protecting = ["staging", "prod"];

async function live(stack: string): Promise<Life> {
  const lane = new Lane(await setting());
  try {
    await lane.begin(stack);
    lane.cluster.webhookDelay = 50;
    const up = await lane.must("up", { outputs: true });
    const inventory = lane.cluster.inventory();
    const preview = await lane.must("preview");
    const refresh = await lane.must("refresh");
    const state = await lane.state();
    const found = exposed(passwords(state), [up, preview, refresh], lane.files());
    const refused = protecting.includes(stack) ? await lane.run("destroy") : undefined;
    if (refused !== undefined) await lane.must("unprotect");
    await lane.must("destroy");
    const { cluster } = lane;
    return {
      ...{ up, inventory, preview, refresh, found, left: cluster.inventory(), faults: cluster.faults },
      ...(refused === undefined ? {} : { refused }),
    };
  } finally {
    await lane.dispose();
  }
}

/** Where a secret can be read that must not be. */
function exposed(
  secrets: readonly string[],
  outcomes: readonly Outcome[],
  files: readonly Buffer[],
): string[] {
  const places = {
    output: outcomes.map(({ text }) => text),
    "event stream": outcomes.map(({ events }) => events),
    "plain outputs": outcomes.map(({ outputs = {} }) =>
      JSON.stringify(Object.values(outputs).filter((output) => !output.secret)),
    ),
    "state and settings": files.map((file) => file.toString("latin1")),
  };
  return Object.entries(places).flatMap(([place, texts]) =>
    secrets.flatMap(disguises).flatMap((form) => (texts.some((text) => text.includes(form)) ? [place] : [])),
  );
}

describe("each stack on the real engine", function () {
  this.timeout(240_000);
  const lives = new Map<string, Promise<Life>>();
  const life = (stack: string) => lives.get(stack) ?? Promise.reject(new Error(`no stack ${stack}`));

  before(() => {
    for (const stack of ["dev", ...protecting]) {
      const lived = live(stack);
      lived.catch(() => undefined);
      lives.set(stack, lived);
    }
  });

  for (const stack of ["dev", ...protecting]) {
    describe(stack, () => {
      it("comes up", async () => {
        const { up, inventory } = await life(stack);
        expect(Object.keys(up.changes)).to.deep.equal(["create"]);
        const releases = inventory.filter((line) => line.startsWith("Release "));
        expect(releases.length).to.be.above(0);
        for (const release of releases) expect(release).to.match(/ deployed$/);
      });

      it("has nothing to change in a second preview", async () => {
        const { up, preview } = await life(stack);
        expect(preview.changes).to.deep.equal({ same: up.changes["create"] });
      });

      it("has nothing to change in a refresh", async () => {
        const { up, refresh } = await life(stack);
        expect(refresh.changes).to.deep.equal({ same: up.changes["create"] });
      });

      it("shows no password anywhere", async () => {
        expect((await life(stack)).found).to.deep.equal([]);
      });

      if (protecting.includes(stack)) {
        it("does not let its data be destroyed", async () => {
          const { refused } = await life(stack);
          expect(refused?.ok).to.equal(false);
          expect(refused?.text).to.match(/cannot be deleted[^]*protect/);
        });
      }

      const data = protecting.includes(stack) ? "nothing but its data" : "nothing";
      it(`leaves ${data} when it is destroyed, and harms nothing on the way`, async () => {
        const { left, faults } = await life(stack);
        const kept = protecting.includes(stack) ? volumesAndNamespaces(left) : [];
        expect(left.filter((line) => ![definition, ...kept].includes(line))).to.deep.equal([]);
        expect(kept.length > 0).to.equal(protecting.includes(stack));
        expect(faults).to.deep.equal([]);
      });
    });
  }
});

/** The operator's definition is the cluster's: removing it would remove everybody's models. */
const definition = `CustomResourceDefinition ${seldonCrd}`;

/** The volumes that are left, and their namespaces, without which they cannot be. */
function volumesAndNamespaces(left: readonly string[]): string[] {
  const volumes = left.filter((line) => line.startsWith("PersistentVolumeClaim "));
  return volumes.flatMap((line) => [line, `Namespace ${/ ([^/]+)/.exec(line)?.[1] ?? ""}`]);
}

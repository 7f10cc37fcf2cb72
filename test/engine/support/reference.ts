import { Lane, type Snapshot } from "./lane";
import type { State } from "./protocol";
import { setting } from "./setting";
import type { Entry } from "../../standins/timeline";

/** A first run of the dev stack that nothing disturbed, to compare others with. */
export interface Reference {
  /** The stack before the run: made, and empty. */
  readonly empty: Snapshot;
  /** The stack after it. */
  readonly full: Snapshot;
  readonly state: State;
  readonly timeline: readonly Entry[];
  /** What the cluster then holds. */
  readonly inventory: readonly string[];
  /** The resources that the state then holds, as URNs. */
  readonly urns: readonly string[];
  /** The lane it ran in, for one test at a time to begin from a snapshot. */
  readonly lane: Lane;
}

/** How long the cluster works on each release and each Job in the reference run, so that the order shows. */
const workMilliseconds = 250;

/** Database, store and operator. */
const firstReleases = 3;
const rendezvousMilliseconds = 20_000;

let shared: Promise<Reference> | undefined;

/** The reference run, made once for all tests. */
export function reference(): Promise<Reference> {
  shared ??= make();
  return shared;
}

async function make(): Promise<Reference> {
  const lane = new Lane(await setting());
  await lane.begin("dev");
  const empty = lane.snapshot();
  lane.cluster.webhookDelay = workMilliseconds;
  lane.cluster.behaviour.add({
    on: /^(install Release|ready Job|ready SeldonDeployment) /,
    latency: workMilliseconds,
  });
  lane.cluster.behaviour.add({ on: /^install Release /, hold: rendezvous(lane) });
  await lane.must("up");
  lane.cluster.behaviour.clear();
  lane.timeline.listener = undefined;
  const state = await lane.state();
  return {
    empty,
    full: lane.snapshot(),
    state,
    timeline: [...lane.timeline.entries],
    inventory: lane.cluster.inventory(),
    urns: urnsOf(state),
    lane,
  };
}

/**
 * Done when as many installations are under way as can be at once, or when that does not happen; so that it shows,
 * however slow the machine is, whether they start together.
 */
function rendezvous(lane: Lane): Promise<void> {
  return new Promise((resolve) => {
    let begun = 0;
    lane.timeline.listener = ({ verb, label }, moment) => {
      if (verb !== "create" || moment !== "began" || !label.startsWith("Release ")) return;
      begun += 1;
      if (begun === firstReleases) resolve();
    };
    setTimeout(resolve, rendezvousMilliseconds).unref();
  });
}

after(async () => {
  await (await shared)?.lane.dispose();
});

/** The resources of a state, sorted. */
export function urnsOf(state: State): string[] {
  return (state.resources ?? []).map(({ urn }) => urn).sort();
}

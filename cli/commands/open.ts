import { once } from "node:events";

import colors from "picocolors";

import { Forward } from "../cluster/portForward";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { type Openable, openables } from "../open/addresses";
import { isStore, storesOutside } from "../open/stores";
import { choosePort, isFree, localHost } from "../ports";
import { Progress } from "../progress";
import { declaredStatus } from "../status/declaredItems";
import type { Item } from "../status/item";
import { type ClusterTarget, clusterTarget } from "../target";

/** Options of `npm run open`. */
export interface OpenOptions {
  readonly stack?: string;
  readonly context?: string;
  /** For a single thing. @default the one that it has on the local target, or a free one */
  readonly port?: number;
  readonly json?: boolean;
}

/** Something that is open. */
interface Opened {
  readonly what: Openable;
  readonly url: string;
  readonly port: number;
  /** What the port is not, and why. */
  readonly note: string;
  readonly forward: Forward;
}

/**
 * `npm run open`: gives what runs in the cluster addresses of this machine, until it is told to stop.
 *
 * @param names of what is opened; if none is named, all but the database and the store, whose passwords are given out.
 * @throws UserError there is no such thing, or the port that is asked for is in use.
 */
export async function open(names: readonly string[], options: OpenOptions): Promise<void> {
  const target = await clusterTarget(options);
  const found = await openables(target.cluster);
  const progress = Progress.for(options);
  const missing = names.filter((name) => isStore(name) && !found.some((one) => one.name === name));
  const outside = missing.length === 0 ? [] : storesOutside(missing, await declaredOutside(target.stack));
  for (const { name, text } of outside) {
    progress.event({ event: "outside", name, text });
    progress.say(`${name} is outside of the cluster, so nothing is forwarded: ${text}`);
  }
  const rest = names.filter((name) => !outside.some((one) => one.name === name));
  if (rest.length === 0 && names.length > 0) {
    progress.stop();
    return;
  }
  const chosen = choose(rest, found, target);
  await checkPort(chosen, options.port);
  const interruption = onInterruption(() => undefined);
  interruption.within(stopMilliseconds);
  const opened: Opened[] = [];
  try {
    const taken = new Set<number>();
    for (const what of chosen)
      opened.push(await openOne(target, what, options.port ?? firstPort(what, taken), taken, progress));
    show(opened, target, progress);
    if (!interruption.signal.aborted) await once(interruption.signal, "abort");
  } finally {
    for (const { forward } of opened) forward.close();
    interruption.dispose();
    progress.stop();
  }
}

function choose(
  names: readonly string[],
  found: readonly Openable[],
  { context }: ClusterTarget,
): Openable[] {
  if (found.length === 0)
    throw new UserError(
      `there is nothing to open: neither MLflow, nor MinIO, nor a model is in the cluster of context ` +
        `${context.name}. Start the platform: npm run up`,
    );
  const unknown = names.filter((name) => !found.some((each) => isMeant(each, name)));
  if (unknown.length > 0)
    throw new UserError(
      `there is no ${unknown.join(", no ")} to open in the cluster of context ${context.name}. ` +
        `There is: ${found.map(({ name }) => name).join(", ")}.`,
    );
  return found.filter((each) =>
    names.length === 0 ? each.lines === undefined : names.some((name) => isMeant(each, name)),
  );
}

/** What the stack declares outside of the cluster. */
async function declaredOutside(stack: string): Promise<readonly Item[]> {
  return (await declaredStatus(stack, true)).elsewhere;
}

/** A model's name means all of its predictors. */
function isMeant({ name, service, title }: Openable, wanted: string): boolean {
  return name === wanted || (title.startsWith("model") && service.service.startsWith(`${wanted}-`));
}

async function checkPort(chosen: readonly Openable[], port: number | undefined): Promise<void> {
  if (port === undefined) return;
  if (chosen.length > 1)
    throw new UserError(
      `--port is for one thing, and these are ${chosen.length}: ${chosen.map(({ name }) => name).join(", ")}. ` +
        `Name one: npm run open -- ${chosen[0]?.name ?? ""} --port ${port}`,
    );
  if (!(await isFree(port)))
    throw new UserError(`--port: port ${port} is in use on ${localHost}. Name another, or none.`);
}

/** The next that no other of these has: models count up from the first one's. */
function firstPort({ preferredPort }: Openable, taken: ReadonlySet<number>): number {
  let port = preferredPort;
  while (taken.has(port)) port += 1;
  return port;
}

async function openOne(
  { cluster }: ClusterTarget,
  what: Openable,
  preferred: number,
  taken: Set<number>,
  progress: Progress,
): Promise<Opened> {
  const port = await choosePort(preferred, taken);
  const url = `${what.scheme ?? "http"}://${localHost}:${port}${what.path ?? ""}`;
  const forward = await Forward.open(cluster, what.service, port, {
    silent: (reason) => {
      progress.event({ event: "silent", name: what.name, reason });
      progress.say(`${colors.yellow("!")} ${what.name} does not answer: ${reason}`);
    },
    answers: () => {
      progress.event({ event: "answers", name: what.name });
      progress.say(`${colors.green("✓")} ${what.name} answers again`);
    },
  });
  return { what, url, port, note: port === preferred ? "" : `port ${preferred} is in use`, forward };
}

function show(opened: readonly Opened[], { context, stack }: ClusterTarget, progress: Progress): void {
  const addresses = opened.map(({ what: { name, title, service, login, client, lines }, url, port }) => ({
    ...{ name, title, url, ...service },
    ...(login === undefined ? {} : { login }),
    ...(client === undefined ? {} : { client: client(url) }),
    ...(lines === undefined ? {} : { lines: lines(port) }),
  }));
  progress.event({ event: "open", stack, context: context.name, addresses });
  const width = Math.max(...opened.map(({ what }) => what.name.length));
  const urlWidth = Math.max(...opened.map(({ url }) => url.length));
  const lines = opened.flatMap(({ what, url, port, note }) => {
    const detail = [what.title, note].filter((text) => text !== "").join("; ");
    const line = `  ${what.name.padEnd(width)}  ${colors.cyan(url.padEnd(urlWidth))}  ${colors.dim(detail)}`;
    const more = [what.login, what.client?.(url)].flatMap((text) =>
      text === undefined ? [] : [`  ${" ".repeat(width)}  ${text}`],
    );
    // At the line's beginning, from where they are copied.
    const paste = what.lines === undefined ? [] : ["", ...what.lines(port), ""];
    return [line, ...more, ...paste];
  });
  progress.say([`Open, of the cluster of context ${context.name}:`, "", ...lines, ""].join("\n"));
  progress.say("Pods may restart meanwhile. Ctrl-C ends it.");
}

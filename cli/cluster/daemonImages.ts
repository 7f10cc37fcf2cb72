import { daemonHas, findDocker } from "./docker";
import type { AppImageBuild } from "./images";

/**
 * The images that the stack has built and the daemon does not have any more, such as after `docker image prune`. What
 * is in a registry is not asked for.
 *
 * @param state what the stack has, by URN.
 */
export async function lostImages(
  builds: readonly AppImageBuild[],
  state: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<AppImageBuild[]> {
  const own = builds.filter(({ urn, pushed }) => !pushed && state.has(urn));
  // Of a daemon that is silent nobody knows what it has; the provider will say that it is.
  if (own.length === 0 || (await findDocker(signal)).state !== "answers") return [];
  const there = await Promise.all(own.map(({ reference }) => daemonHas(reference, signal)));
  return own.filter((_, index) => there[index] !== true);
}

/**
 * The images that the stack has built, by URN, where their daemon is silent: the provider then fails over each of them.
 *
 * @param state what the stack has, by URN.
 */
export async function unaskedImages(
  builds: readonly AppImageBuild[],
  state: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string[]> {
  const own = builds.map(({ urn }) => urn).filter((urn) => state.has(urn));
  return own.length === 0 || (await findDocker(signal)).state === "answers" ? [] : own;
}

import { dockerImage } from "../../policy/rules/references";
import type { StateResource } from "./state";

/**
 * A state without some of the images that were built. They stay in their daemon all the same, but whoever compares or
 * removes them is asked for that daemon, and fails where there is none.
 *
 * @param stays whether an image is still built, by its URN.
 */
export function withoutImages(
  resources: readonly StateResource[],
  stays: (urn: string) => boolean,
): StateResource[] {
  const goes = new Set(
    resources.filter(({ type, urn }) => type === dockerImage && !stays(urn)).map(({ urn }) => urn),
  );
  if (goes.size === 0) return [...resources];
  const left = (urns: readonly string[]) => urns.filter((urn) => !goes.has(urn));
  return resources
    .filter(({ urn }) => !goes.has(urn))
    .map(({ dependencies = [], propertyDependencies = {}, ...one }) => ({
      ...one,
      dependencies: left(dependencies),
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([key, urns]) => [key, left(urns)]),
      ),
    }));
}

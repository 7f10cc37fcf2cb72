import {
  type ChartPin,
  type ImagePin,
  allCharts,
  allImages,
  imageReference,
  images as pinnedImages,
} from "../../pins";
import { release, rootComponent } from "../../policy/rules/kubernetes";
import { dockerImage, images, parseReference } from "../../policy/rules/references";
import { at, text } from "../../policy/rules/values";
import { policyResources } from "./policy";
import type { Recording } from "./recording";

/** An image that the stack brings into the cluster. */
export interface ImageUse {
  /** The reference, as the cluster is told it. */
  readonly reference: string;
  /** What `pins.ts` says of it; undefined for the project's own and those that the configuration names. */
  readonly pin: ImagePin | undefined;
  /** The URNs of the resources that name it. */
  readonly resources: readonly string[];
  /** Whether the stack builds it. */
  readonly built: boolean;
}

/** A chart that the stack installs. */
export interface ChartUse {
  readonly name: string;
  readonly version: string;
  /** What `pins.ts` says of it. */
  readonly pin: ChartPin | undefined;
  readonly resource: string;
}

/**
 * Finds every image that the resources name, in pods, in models and in the values of charts, ordered by
 * reference. One that is known only when it has been built is left out; the resource that builds it is not.
 */
export function imagesOf(recording: Recording): ImageUse[] {
  const mirror = mirrorOf(recording);
  const uses = new Map<string, { resources: Set<string>; built: boolean }>();
  const use = (reference: string, urn: string, built: boolean) => {
    const known = uses.get(reference) ?? { resources: new Set(), built: false };
    known.resources.add(urn);
    known.built ||= built;
    uses.set(reference, known);
  };
  for (const resource of policyResources(recording)) {
    for (const { path, reference } of images(resource))
      if (!isOff(resource.props, path)) use(reference, resource.urn, false);
    const name = resource.type === dockerImage ? text(resource.props["imageName"]) : undefined;
    if (name !== undefined) use(name, resource.urn, true);
  }
  return [...uses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reference, { resources, built }]) => ({
      reference,
      pin: built ? undefined : pinOf(reference, mirror),
      resources: [...resources].sort(),
      built,
    }));
}

/** Whether the value stands in a part of a chart's values that is switched off: `metrics: {enabled: false}`. */
function isOff(props: unknown, path: string): boolean {
  const keys = path.split(".");
  return keys.some((_, depth) => depth > 0 && at(props, ...keys.slice(0, depth), "enabled") === false);
}

/** Every chart that is installed. */
export function chartsOf(recording: Recording): ChartUse[] {
  return policyResources(recording).flatMap((resource) => {
    const found = release(resource);
    if (found === undefined) return [];
    const { chart: file, version = "" } = found;
    // A folder of packed charts has the version in the file's name.
    const pin = allCharts.find(
      ({ name, version: pinned }) => [name, `${name}-${pinned}.tgz`].includes(file) && pinned === version,
    );
    return [{ name: pin?.name ?? file, version, pin, resource: resource.urn }];
  });
}

/** The registry that stands in for all others, as the root component was told it. */
export function mirrorOf({ resources }: Recording): string | undefined {
  const mirror = resources.find(({ type }) => type === rootComponent)?.inputs["mirror"];
  return text(mirror) ?? text(at(mirror, "images"));
}

function pinOf(reference: string, mirror: string | undefined): ImagePin | undefined {
  const { repository, tag, digest } = parseReference(reference);
  return allImages.find(
    (pin) =>
      (pin.repository === repository || mirrored(pin, mirror) === repository) &&
      pin.tag === tag &&
      pin.digest === digest,
  );
}

function mirrored({ repository }: ImagePin, mirror: string | undefined): string | undefined {
  return mirror === undefined ? undefined : `${mirror}${repository.slice(repository.indexOf("/"))}`;
}

/** MLflow's image, where the stack takes it from. */
export function mlflowImage(uses: readonly ImageUse[]): string {
  return (
    uses.find(({ pin }) => pin === pinnedImages.mlflow)?.reference ?? imageReference(pinnedImages.mlflow)
  );
}

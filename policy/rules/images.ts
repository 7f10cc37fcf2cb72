import { allImages } from "../../pins";
import { platformInputs } from "./kubernetes";
import type { PolicyResource, Rule, Stack } from "./model";
import { dockerImage, images, parseReference } from "./references";
import { at, list, object, text } from "./values";

/** What a list of allowed images says of each; `pins.ts` says more. */
export interface AllowedImage {
  /** Registry and path, in full. */
  readonly repository: string;
  readonly tag: string;
  readonly digest?: string;
}

/** The images of `pins.ts`. */
export const pinned: readonly AllowedImage[] = allImages;

export const noLatestImage: Rule = {
  name: "no-latest-image",
  description:
    "Every image has a tag other than latest, or a digest, so that what runs does not change by itself.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) =>
    namedImages(resource).flatMap(({ path, reference }) => {
      const { tag, digest } = parseReference(reference);
      if (digest !== undefined || (tag !== undefined && tag !== "latest")) return [];
      const fault = tag === undefined ? "has neither tag nor digest" : "has the tag latest";
      return [`${path} is ${reference}, which ${fault}: name a version, or better a digest`];
    }),
};

/** Images in use, and the names under which own ones are built. */
function namedImages(resource: PolicyResource) {
  if (resource.type !== dockerImage) return images(resource);
  const reference = text(resource.props["imageName"]);
  return reference === undefined ? [] : [{ path: "imageName", reference }];
}

/**
 * A rule that admits the images of a list, those that the stack builds itself, and those that its configuration
 * names. A mirror that the configuration names stands for every registry.
 */
export function listedImages(allowed: readonly AllowedImage[] = pinned): Rule {
  return {
    name: "images-from-list",
    description: "Every image is one of pins.ts, or built by this stack, or named by its configuration.",
    enforcement: "mandatory",
    needs: "resource",
    check: (resource, stack) => {
      const named = images(resource);
      if (named.length === 0) return [];
      const { mirror, own } = sourcesOf(stack);
      return named.flatMap(({ path, reference }) => {
        const { repository, tag, digest } = parseReference(reference);
        if (own.some((image) => image === repository || repository.startsWith(`${image}/`))) return [];
        // A version alone: the chart's own image is meant.
        const versionOnly = reference.startsWith(":");
        const same = allowed.filter(
          (pin) =>
            pin.repository === repository ||
            repository === mirrored(pin.repository, mirror) ||
            (versionOnly && pin.tag === tag),
        );
        if (same.length === 0) {
          return [
            `${path} is ${reference}, which pins.ts does not list: add it there, with its licence and the reason`,
          ];
        }
        if (same.some((pin) => fits(pin, tag, digest))) return [];
        const listed = same.map((pin) => (pin.digest === undefined ? pin.tag : `${pin.tag}@${pin.digest}`));
        return [
          `${path} is ${reference}, of which pins.ts lists ${listed.join(", ")}: take that, or change the list`,
        ];
      });
    },
  };
}

/** A digest decides where both have one; the tag alone is enough only where the list knows no digest. */
function fits(pin: AllowedImage, tag: string | undefined, digest: string | undefined): boolean {
  if (pin.digest !== undefined || digest !== undefined) return pin.digest === digest;
  return pin.tag === tag;
}

function mirrored(repository: string, mirror: string | undefined): string | undefined {
  return mirror === undefined ? undefined : `${mirror}/${repository.slice(repository.indexOf("/") + 1)}`;
}

/** The mirror, and repositories of images that the stack builds, and registries and images that its configuration names. */
interface Sources {
  readonly mirror: string | undefined;
  readonly own: readonly string[];
}

/** What {@link sourcesOf} has found, by the resources that it has looked at: each resource is asked about. */
const sources = new WeakMap<Stack["resources"], Sources>();

function sourcesOf(stack: Stack): Sources {
  const found = sources.get(stack.resources) ?? { mirror: mirrorOf(stack), own: ownImages(stack) };
  sources.set(stack.resources, found);
  return found;
}

function mirrorOf(stack: Stack): string | undefined {
  const mirror = platformInputs(stack)["mirror"];
  return text(mirror) ?? text(at(mirror, "images"));
}

function ownImages(stack: Stack): readonly string[] {
  const inputs = platformInputs(stack);
  const built = stack.resources
    .filter(({ type }) => type === dockerImage)
    .map(({ props }) => text(props["imageName"]));
  const configured = [
    at(inputs, "images", "registry"),
    ...Object.values(object(at(inputs, "images", "prebuilt"))),
    ...list(inputs["models"]).flatMap((model) => [at(model, "image"), at(model, "training", "image")]),
  ].map(text);
  const names = new Set([...built, ...configured].filter((name) => name !== undefined));
  return [...names].map((name) => parseReference(name).repository);
}

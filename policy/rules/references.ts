/** Image references: their parts, and where in resources they stand. */
import { containers, release } from "./kubernetes";
import type { PolicyResource } from "./model";
import { at, has, isUnknown, join, lastKey, object, text, walk } from "./values";

/** Pulumi's token of an image that Docker builds. */
export const dockerImage = "docker:index/image:Image";

/** An image reference in its parts. */
export interface ImageReference {
  /** Registry and path in full: `docker.io/library/postgres` for `postgres`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Takes a reference apart as container runtimes do. */
export function parseReference(reference: string): ImageReference {
  const [named = "", digest] = reference.split("@");
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const tag = tagged ? named.slice(colon + 1) : "";
  return {
    repository: fullRepository(tagged ? named.slice(0, colon) : named),
    ...(tag !== "" && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** A first part with a dot or a port, or `localhost`, is a registry; anything else is a path on Docker Hub. */
function fullRepository(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const registry = hasRegistry ? first.replace(/^(registry-1|index)\.docker\.io$/, "docker.io") : "docker.io";
  const path = hasRegistry ? rest.join("/") : name;
  return registry === "docker.io" && !path.includes("/")
    ? `${registry}/library/${path}`
    : `${registry}/${path}`;
}

/** An image that a resource names. */
export interface NamedImage {
  readonly path: string;
  readonly reference: string;
}

/** Every image that a resource names; those not known yet are left out. */
export function images(resource: PolicyResource): readonly NamedImage[] {
  const values = release(resource)?.values;
  if (values !== undefined) return chartImages(values);
  return containers(resource).flatMap(({ path, container }) => {
    const reference = text(container["image"]);
    return reference === undefined ? [] : [{ path: join(path, "image"), reference }];
  });
}

/** Charts take an image as one text, or in parts beside each other. */
function chartImages(values: unknown): readonly NamedImage[] {
  const global = text(at(values, "global", "imageRegistry"));
  return walk(values, "values").flatMap(({ path, value }) => {
    const parts = object(value);
    if (isGroup(path, parts)) return grouped(path, parts, global);
    // Seldon's chart has image and version of its prepackaged servers in two values.
    const version = parts["defaultImageVersion"];
    if (isUnknown(version)) return [];
    if (has(parts, "defaultImageVersion") && !has(parts, "image")) {
      return [{ path: join(path, "defaultImageVersion"), reference: `:${text(version) ?? ""}` }];
    }
    return Object.entries(parts).flatMap(([key, image]) => {
      const reference = text(image);
      if (reference === undefined || !/^image(_v2)?$|Image$/.test(key)) return [];
      const versioned = key === "image" && text(version) !== undefined;
      return [
        { path: join(path, key), reference: versioned ? `${reference}:${text(version) ?? ""}` : reference },
      ];
    });
  });
}

function isGroup(path: string, parts: Readonly<Record<string, unknown>>): boolean {
  if (text(parts["repository"]) === undefined) return false;
  return (
    ["registry", "tag", "digest"].some((key) => key in parts) ||
    /image/i.test(path) ||
    /image/i.test(lastKey(path))
  );
}

function grouped(
  path: string,
  parts: Readonly<Record<string, unknown>>,
  global?: string,
): readonly NamedImage[] {
  if (["registry", "repository", "tag", "digest"].some((key) => isUnknown(parts[key]))) return [];
  const registry = global ?? text(parts["registry"]);
  const repository = text(parts["repository"]) ?? "";
  // YAML reads a tag such as 18 as a number.
  const tag = typeof parts["tag"] === "number" ? String(parts["tag"]) : text(parts["tag"]);
  const digest = text(parts["digest"]);
  const reference = [
    registry === undefined ? repository : `${registry}/${repository}`,
    ...(tag === undefined ? [] : [`:${tag}`]),
    ...(digest === undefined ? [] : [`@${digest}`]),
  ].join("");
  return [{ path, reference }];
}

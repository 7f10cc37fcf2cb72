import * as pulumi from "@pulumi/pulumi";

import { join } from "../../policy/rules/values";
import { markers } from "./recording";

/** A value as it can be shown, and where in it the secrets are. */
export interface Described {
  readonly value: unknown;
  readonly secretPaths: readonly string[];
}

/** The parts of an Output that its types leave out. */
interface OutputInternals {
  /** With `true`, the value is given although parts of it are unknown. */
  promise(withUnknowns?: boolean): Promise<unknown>;
  readonly isKnown: Promise<boolean>;
  readonly isSecret: Promise<boolean>;
}

const { specialSigKey, specialSecretSig, specialResourceSig, unknownValue } = pulumi.runtime;

/**
 * Makes a value readable that was serialised for the engine.
 *
 * The serialised form has one mark for "unknown", which hides both that a value is secret and the parts of an
 * object that are known. Both are found again in what the program passed.
 *
 * @param serialised the value on its way to the engine.
 * @param passed what the program passed: a plain value, a promise or an Output.
 * @param reveal shows the values of secrets. For programs that have none but made-up ones.
 */
export async function describe(serialised: unknown, passed: unknown, reveal = false): Promise<Described> {
  const secretPaths = new Set<string>();
  const value = await walk(serialised, passed, "", false);
  return { value, secretPaths: [...secretPaths].sort() };

  /** Of what is known nothing has to be waited for, and that is nearly all there is. */
  function known(raw: unknown, path: string, inSecret: boolean): unknown {
    const wrapped = signature(raw) === specialSecretSig;
    const secret = inSecret || wrapped;
    if (secret) secretPaths.add(path);
    const inner = wrapped ? (raw as { value: unknown }).value : raw;
    if (signature(inner) === specialResourceSig) return (inner as { urn: unknown }).urn;
    if (typeof inner !== "object" || inner === null) return secret && !reveal ? markers.secret : inner;
    if (Array.isArray(inner)) return inner.map((item, index) => known(item, join(path, index), secret));
    return Object.fromEntries(
      Object.entries(inner)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, known(item, join(path, key), secret)]),
    );
  }

  async function walk(raw: unknown, given: unknown, path: string, inSecret: boolean): Promise<unknown> {
    if (!containsUnknown(raw)) return known(raw, path, inSecret);
    const wrapped = signature(raw) === specialSecretSig;
    const secret = inSecret || wrapped || (await isSecret(given));
    if (secret) secretPaths.add(path);
    const inner = wrapped ? (raw as { value: unknown }).value : raw;
    if (inner === unknownValue) {
      const found = await knownParts(given);
      if (!isUnknownMark(found)) return walk(found, undefined, path, secret);
    }
    if (isUnknownMark(inner)) return secret ? markers.unknownSecret : markers.unknown;
    if (signature(inner) === specialResourceSig) return (inner as { urn: unknown }).urn;
    if (typeof inner !== "object" || inner === null) return secret && !reveal ? markers.secret : inner;
    const parts = await knownParts(given);
    if (Array.isArray(inner)) {
      const items = inner as unknown[];
      return Promise.all(
        items.map((item, index) => walk(item, child(parts, index), join(path, index), secret)),
      );
    }
    const result: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      if (item !== undefined) result[key] = await walk(item, child(parts, key), join(path, key), secret);
    return result;
  }
}

function signature(value: unknown): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[specialSigKey]
    : undefined;
}

/** Whether nothing can be said of the value; of a resource inside a value that is unknown, its outputs could. */
function isUnknownMark(value: unknown): boolean {
  return (
    value === unknownValue ||
    value === undefined ||
    pulumi.isUnknown(value) ||
    pulumi.Resource.isInstance(value)
  );
}

function containsUnknown(value: unknown): boolean {
  if (isUnknownMark(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(containsUnknown);
}

async function isSecret(given: unknown): Promise<boolean> {
  return pulumi.Output.isInstance(given) && (await pulumi.isSecret(given));
}

/** What is known of a value that the program passed, with Pulumi's mark in the place of each unknown part. */
async function knownParts(given: unknown): Promise<unknown> {
  if (pulumi.Output.isInstance(given)) return (given as unknown as OutputInternals).promise(true);
  return given instanceof Promise ? knownParts(await given) : given;
}

function child(parts: unknown, key: string | number): unknown {
  return typeof parts === "object" && parts !== null
    ? (parts as Record<string | number, unknown>)[key]
    : undefined;
}

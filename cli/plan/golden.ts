import { existsSync, writeFileSync } from "node:fs";

import { readText } from "../../config/readText";
import { dockerImage } from "../../policy/rules/references";
import { at, list, object, text } from "../../policy/rules/values";
import { goldenFile } from "./files";
import { Names, waitsFor } from "./names";
import type { RecordedResource, Recording } from "./recording";

/** Stands for a hash in a name: it follows from what stands in the file too, or from a file of an image. */
const contentHash = "[content hash]";

/** A recording as it stands in a golden file: nothing that differs without a difference, and in a fixed order. */
export interface Golden {
  readonly stack: string;
  readonly notices: readonly string[];
  readonly outputs: unknown;
  readonly resources: Readonly<Record<string, unknown>>;
}

/** The command that writes the golden file of a stack anew. */
export function updateCommand(stack: string): string {
  return `npm run preview -- --stack ${stack} --update-golden`;
}

/** Reduces a recording to what a reviewer should see. */
export function golden(recording: Recording): Golden {
  const names = new Names(recording);
  const waits = waitsFor(recording, names);
  const key = keys(recording);
  const resources = recording.resources.map((resource): [string, unknown] => {
    const { parent, provider, inputs, read } = resource;
    const after = (waits.get(resource.urn) ?? []).map(key).sort();
    return [
      key(resource.urn),
      {
        ...(names.get(parent) !== undefined && { parent: key(parent) }),
        ...(provider !== "" && { provider: key(provider) }),
        ...(after.length > 0 && { after }),
        ...optionsOf(resource),
        ...(read !== undefined && { read }),
        ...(Object.keys(inputs).length > 0 && { inputs: withoutContents(inputs) }),
      },
    ];
  });
  const file: Golden = {
    stack: recording.stack,
    notices: recording.notices.map(({ severity, message }) => `${severity}: ${message}`),
    outputs: recording.outputs,
    resources: Object.fromEntries(resources),
  };
  return withoutHashes(file, recording);
}

/** Of files that a ConfigMap with a hash in its name brings, the names alone: the files have their own reviews. */
function withoutContents(inputs: RecordedResource["inputs"]): RecordedResource["inputs"] {
  if (!isHashed(inputs)) return inputs;
  const files = Object.keys(object(inputs["data"]));
  return { ...inputs, data: Object.fromEntries(files.map((file) => [file, "[content of the file]"])) };
}

/** What can be changed under another name only has a hash in its name. */
function isHashed(inputs: RecordedResource["inputs"]): boolean {
  return inputs["immutable"] === true;
}

/**
 * Takes the hashes of contents out of the names that have them, and out of all that quotes those. Else each change
 * to a line of Python would change the files of all stacks.
 */
function withoutHashes(file: Golden, { resources }: Recording): Golden {
  const named = resources.flatMap(({ type, inputs }) => {
    if (type === dockerImage) return [inputs["imageName"]];
    if (type === "kubernetes:batch/v1:Job" || isHashed(inputs)) return [at(inputs, "metadata", "name")];
    return list(at(inputs, "spec", "predictors")).map((predictor) => at(predictor, "name"));
  });
  const hashes = named.map((name) => /[-:]([0-9a-f]{6,16})$/.exec(text(name) ?? "")?.[1]);
  const plain = hashes
    .filter((hash) => hash !== undefined)
    .reduce((json, hash) => json.replaceAll(hash, contentHash), JSON.stringify(file));
  return JSON.parse(plain) as Golden;
}

/** Reads the golden file of a stack; undefined if there is none. */
export function readGolden(stack: string): Golden | undefined {
  const file = goldenFile(stack);
  return existsSync(file) ? (JSON.parse(readText(file)) as Golden) : undefined;
}

/** Writes the golden file of the recording's stack, in the format that `npm run check` asks for. */
export async function writeGolden(recording: Recording): Promise<string> {
  // Of the tools for development, so loaded only by those who develop.
  const { format, resolveConfig } = await import("prettier");
  const file = goldenFile(recording.stack);
  const formatted = await format(JSON.stringify(golden(recording), undefined, 2), {
    ...(await resolveConfig(file)),
    parser: "json",
  });
  writeFileSync(file, formatted);
  return file;
}

/** A resource's name in the file: type and name, or the URN where two would share that. */
function keys({ resources }: Recording): (urn: string) => string {
  const byUrn = new Map<string, string>();
  const taken = new Set<string>();
  for (const { type, name, urn } of resources) {
    const key = `${type} ${name}`;
    byUrn.set(urn, taken.has(key) ? urn : key);
    taken.add(key);
  }
  return (urn) => byUrn.get(urn) ?? urn;
}

/** The options, but for the aliases by type alone: the SDK adds them to all resources of some types. */
function optionsOf({ options }: RecordedResource): object {
  const { aliases = [], ...others } = options;
  const own = aliases.filter(
    (alias) => typeof alias === "string" || Object.keys(alias as object).join() !== "type",
  );
  return { ...others, ...(own.length > 0 && { aliases: own }) };
}

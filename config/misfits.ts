/** Why a version of the registry cannot be served as a model. */
import { computesAnswers } from "./answers";
import type { Understood } from "./checks";
import type { Decision } from "./lock";
import { servedBy } from "./manifests";
import { mlflowServer, serverFor, unequipped, unloadable } from "./mlflowServer";
import { bucketsOf } from "./modelChecks";
import type { ModelConfig } from "./models";
import {
  type PrepackagedServer,
  type Server,
  isPickle,
  libraryOf,
  readsOf,
  servers,
  untrustedLibrary,
} from "./servers";
import { either, listed } from "./words";

type Decided = Omit<Decision, "decided">;

/** All that keeps a version from being served as a model, each to be read behind its name; nothing if it can be. */
export function misfits(
  model: ModelConfig,
  decision: Decided,
  objectStore?: Understood["objectStore"],
): string[] {
  const { image, allowCode, parity } = model;
  const { form, version } = decision;
  const server = serverOf(model, decision);
  const reads = server === undefined ? servedBy(image)?.serving.reads : readsOf(server);
  const problems = [...outOfReach(decision, objectStore)];
  // Of an image of others nothing is known.
  if (reads !== undefined && !reads.includes(form))
    problems.push(` (${form}), which ${server ?? String(image)} cannot load: take ${readerOf(form)}`);
  if (server === mlflowServer) problems.push(...unloadable(decision));
  if (server !== undefined)
    problems.push(...(allowCode ? [] : running(decision, server)), ...unsigned(decision));
  if (server !== undefined && parity === "on") problems.push(...incomparable(decision));
  if (server !== undefined && server !== mlflowServer && reads?.includes(form) === true)
    problems.push(...ofOtherLibrary(decision, server));
  return problems.map((problem) => `version ${version}${problem}`);
}

/** Whether a model needs an image that is made of the packages that a version requires: to be served, or to be compared. */
export function needsEnvironment(model: ModelConfig, decision: Decided): boolean {
  const server = serverOf(model, decision);
  return server === mlflowServer || computesAnswers({ ...model, server }, decision);
}

/** Why there is no image for a version, to be read behind its name: nobody has looked for its packages. */
export function unprepared(model: ModelConfig, decision: Decided): string[] {
  if (!needsEnvironment(model, decision)) return [];
  const answers = computesAnswers({ ...model, server: serverOf(model, decision) }, decision);
  return unequipped(decision, answers ? "answers" : "serving").map(
    (problem) => `version ${decision.version}${problem}`,
  );
}

function serverOf({ server, image }: ModelConfig, decision: Decided): Server | undefined {
  return server ?? (image === undefined ? serverFor([decision]) : undefined);
}

function outOfReach({ files }: Decided, objectStore: Understood["objectStore"]): string[] {
  const bucket = files.split("/")[2];
  const readable = objectStore && bucketsOf(objectStore).modelBucket;
  if (readable === undefined || bucket === readable) return [];
  return [` in bucket "${bucket ?? ""}", and model servers may read "${readable}" only`];
}

/** What else loads files of a form. */
function readerOf(form: string): string {
  const able = servers.filter((one) => readsOf(one)?.includes(form) ?? true);
  return either(able.map((one) => `server: ${one}`));
}

/** What of a version runs code of whoever has logged it. */
function running({ form, loading }: Decided, server: Server): string[] {
  // It reads the file of the trees alone, whatever lies beside it.
  return server === "XGBOOST_SERVER" ? [] : codeOf({ form, loading });
}

/** The same, where Python loads it. */
export function codeOf({ form, loading }: Pick<Decided, "form" | "loading">): string[] {
  const known = loading?.code ?? [];
  const code = known.length === 0 && isPickle(form) ? ["a pickle"] : known;
  if (code.length === 0) return [];
  return [
    `, which holds ${listed(code)}: whoever loads it runs the code of whoever has logged it. Write allowCode: true if only ` +
      "those whom you trust may write to the bucket and the registry",
  ];
}

function unsigned({ signature }: Decided): string[] {
  if (signature !== undefined) return [];
  return [
    ", which has no signature, so that nobody knows what it takes: log it again with input_example=X.head(), from which " +
      "MLflow makes one",
  ];
}

/** Nobody would see that a server answers it otherwise than its own libraries do. */
function incomparable({ compared }: Decided): string[] {
  if (compared !== "nothing") return [];
  return [
    ", which was logged without an example of its input, so that there is nothing to compare its answers with: log it again " +
      "with input_example=X.head(), or write parity: off",
  ];
}

/** What another version of the library has written may load without a word, and answer otherwise. */
function ofOtherLibrary({ form, libraries }: Decided, server: PrepackagedServer): string[] {
  const library = libraryOf(form);
  if (libraries[library] === undefined && libraries[`${library}-cpu`] === undefined)
    return [
      `, which does not say with which ${library} it was logged: ${server} may answer otherwise. Log it with its requirements`,
    ];
  const found = untrustedLibrary(form, libraries);
  if (found === undefined) return [];
  const { trained, served } = found;
  return [
    `, logged with ${library} ${trained}, and ${server} has ${served}: it may answer otherwise. Train it with ${library} ` +
      `${served}, or take server: ${mlflowServer}, an image that is made for it`,
  ];
}

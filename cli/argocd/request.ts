/** What the manifests are made of, from what the command was told: all that is wrong with it is found at once. */
import { imageRef } from "../../config/fields";
import { hasCaller, hasSignature } from "../../config/secretWords";
import { knownInstead, listed } from "../../config/words";
import { ownName, referenceOf } from "../engine/reference";
import { UserError, messageOf } from "../errors";
import type { Plan } from "../plan/plan";
import { type Right, rightsFor } from "../preflight/permissions";
import type { ArgocdOptions } from "./options";

/** A stack, as Argo CD and the operator are told of it. */
export interface Delivery {
  /** Its name, which is also that of what is made for it. */
  readonly stack: string;
  /** As Pulumi has it: with its organisation in Pulumi Cloud. */
  readonly reference: string;
  readonly branch: string;
  readonly backend: string;
  /** The name of its cluster in Argo CD. */
  readonly destination: string;
  /** The context that its file names. */
  readonly context: string;
  /** The configuration of its images, with those that are built elsewhere; undefined if its file says all. */
  readonly images: Readonly<Record<string, unknown>> | undefined;
  /** What bringing it up takes, as pre-flight asks for it. */
  readonly rights: readonly Right[];
  /** Whether there is a passphrase: else the file names another provider of secrets, or the backend is one. */
  readonly passphrase: boolean;
}

export interface Request {
  readonly repository: string;
  readonly gitSecret: string | undefined;
  readonly deliveries: readonly Delivery[];
}

/** What is to be known of a stack's file. */
export interface Known {
  readonly plan: Pick<Plan, "recording" | "images">;
  /** What its file says, by the keys of `config`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The keys beside `config`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A name that Kubernetes takes for what is named after a stack, with what stands before it. */
const objectName = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
const clusterName = /^[A-Za-z0-9][\w.-]{0,62}$/;
const branchName = /^(?!-|.*(\.\.|@\{|\/\/|\.lock$|\/$|\.$))[\w./+@-]{1,200}$/;
const addressOfCode =
  /^(https:\/\/[\w.-]+(:\d+)?\/|ssh:\/\/(\w+@)?[\w.-]+(:\d+)?\/|\w+@[\w.-]+:(?!\/))[^\s'"]+$/;

/**
 * Checks what the command was told.
 *
 * @param stacks the stacks that there are.
 * @param knownOf what is known of one of them; rejects with a UserError where its file is wrong.
 * @throws UserError with a sentence for each thing that is wrong.
 */
export async function requestOf(
  options: ArgocdOptions,
  stacks: readonly string[],
  knownOf: (stack: string) => Promise<Known>,
): Promise<Request> {
  const problems: string[] = [];
  const names = stacksOf(options.stack, stacks, problems);
  const repository = repositoryOf(options, problems);
  const branches = eachOf("--branch", options.branch, names, problems, branchProblem, {
    missing: "is missing: the branch that is deployed, such as main",
  });
  const backends = eachOf("--backend", options.backend, names, problems, backendProblem, {
    missing: "is missing: where the state lies, such as s3://team-state?region=eu-central-1",
  });
  const destinations = eachOf("--destination", options.destination, names, problems, destinationProblem, {
    instead: "in-cluster",
  });
  const shared = names.filter((stack) =>
    names.some((other) => other !== stack && destinations.get(other) === destinations.get(stack)),
  );
  if (shared.length > 0 && names.every((stack) => destinations.has(stack)))
    problems.push(
      `--destination: ${listed(shared)} would be in one cluster, where the namespaces of a platform have room for one alone: name the ` +
        `cluster of each: --destination ${names.map((stack) => `${stack}=${shared.includes(stack) ? "CLUSTER" : (destinations.get(stack) ?? "")}`).join(",")}.`,
    );
  const given = imagesOf(options.image ?? [], problems);
  const built = new Set<string>();
  /** Images that would be built, with the stacks that would. */
  const lacking = new Map<string, readonly string[]>();
  const deliveries: Delivery[] = [];
  for (const stack of names) {
    const [branch, backend, destination] = [branches, backends, destinations].map(
      (all) => all.get(stack) ?? "",
    );
    try {
      const { plan, config, settings } = await knownOf(stack);
      const own = plan.images.filter((image) => image.built).map(({ reference }) => reference);
      own.forEach((reference) => built.add(nameOf(reference)));
      for (const reference of own)
        if (!given.has(nameOf(reference))) lacking.set(reference, [...(lacking.get(reference) ?? []), stack]);
      deliveries.push({
        stack,
        reference: reference(options.stack, stack, backend ?? "", problems),
        branch: branch ?? "",
        backend: backend ?? "",
        destination: destination ?? "",
        context: typeof config["mlplatform:context"] === "string" ? config["mlplatform:context"] : "",
        images: withImages(config["mlplatform:images"], own.map(nameOf), given),
        rights: rightsFor(plan.recording),
        passphrase: needsPassphrase(backend ?? "", settings),
      });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(messageOf(error));
    }
  }
  if (lacking.size > 0)
    problems.push(
      `--image: ${listed([...new Set([...lacking.values()].flat())])} would build ${listed([...lacking.keys()].map(nameOf))}, and the ` +
        "operator has no Docker: push what they would build, and name it: " +
        `${[...lacking.keys()].map((reference) => `--image ${nameOf(reference)}=${reference}`).join(" ")}.`,
    );
  if (deliveries.length === names.length && names.length > 0)
    for (const name of given.keys())
      if (!built.has(name))
        problems.push(`--image: no stack here builds ${name}: ${knownInstead(name, [...built])}.`);
  if (problems.length > 0) throw new UserError(problems.join("\n"));
  return { repository, gitSecret: options.gitSecret, deliveries };
}

function stacksOf(given: string | undefined, known: readonly string[], problems: string[]): string[] {
  const names = (given ?? "").split(",").filter((name) => name !== "");
  if (names.length === 0) problems.push("--stack is missing: the stacks, with commas between them.");
  const own = names.flatMap((name) => {
    try {
      return [ownName(name)];
    } catch (error) {
      problems.push(messageOf(error));
      return [];
    }
  });
  for (const [at, name] of own.entries())
    if (own.indexOf(name) !== at) problems.push(`--stack: ${name} is named twice.`);
    else if (!known.includes(name))
      problems.push(`--stack: there is no stack "${name}": ${knownInstead(name, known)}`);
    else if (!objectName.test(name))
      problems.push(
        `--stack: "${name}" cannot be the name of an object in Kubernetes: up to 40 lower case letters, digits and dashes.`,
      );
  return [...new Set(own)].filter((name) => known.includes(name));
}

function repositoryOf({ repository, gitSecret }: ArgocdOptions, problems: string[]): string {
  if (gitSecret !== undefined && !objectName.test(gitSecret))
    problems.push(`--git-secret: "${gitSecret}" cannot be the name of a Secret.`);
  if (repository === undefined) {
    problems.push(
      "--repository is missing: what the operator clones, such as https://git.example.com/team/mlplatform.git.",
    );
    return "";
  }
  const overSsh = !repository.startsWith("https:");
  if (!overSsh && hasCaller(repository))
    problems.push(
      "--repository has a user or a password in it: put a token into a Secret, and name that: --git-secret NAME.",
    );
  else if (
    !addressOfCode.test(repository) ||
    hasSignature(repository) ||
    /^ssh:\/\/[^/]*:[^/]*@/.test(repository)
  )
    problems.push(
      "--repository is no address that the operator clones: https://…, ssh://… or git@HOST:PATH, without a password.",
    );
  else if (overSsh && gitSecret === undefined)
    problems.push(
      "--git-secret is missing: over SSH the operator needs a key, from the key sshPrivateKey of a Secret.",
    );
  return repository;
}

/**
 * The value of each stack: one for all, or `staging=a,prod=b`.
 *
 * @param problemOf what is wrong with a value, to be read behind the option.
 */
function eachOf(
  option: string,
  given: string | undefined,
  stacks: readonly string[],
  problems: string[],
  problemOf: (value: string) => string | undefined,
  without: { readonly missing: string } | { readonly instead: string },
): ReadonlyMap<string, string> {
  if (given === undefined) {
    if ("missing" in without) problems.push(`${option} ${without.missing}.`);
    return new Map("instead" in without ? stacks.map((stack) => [stack, without.instead]) : []);
  }
  const single = !/^[\w.-]+=/.test(given);
  const pairs = single
    ? stacks.map((stack) => [stack, given] as const)
    : given.split(/,(?=[\w.-]+=)/).map((part): readonly [string, string] => {
        const at = part.indexOf("=");
        return [part.slice(0, at), part.slice(at + 1)];
      });
  const values = new Map(pairs);
  for (const name of values.keys())
    if (!stacks.includes(name)) problems.push(`${option}: ${name} is none of the stacks that --stack names.`);
  const lacking = stacks.filter((stack) => !values.has(stack));
  if (lacking.length > 0) problems.push(`${option} says nothing of ${listed(lacking)}.`);
  for (const value of new Set(single ? [given] : values.values())) {
    const wrong = problemOf(value);
    if (wrong !== undefined) problems.push(`${option} ${wrong}.`);
  }
  return values;
}

function branchProblem(branch: string): string | undefined {
  return branchName.test(branch) ? undefined : `is ${JSON.stringify(branch)}, which is no name of a branch`;
}

function backendProblem(backend: string): string | undefined {
  if (backend.startsWith("file:"))
    return "is a folder: in the operator's pod it would be gone with the pod, and with it all that Pulumi knows of the cluster. Take s3://… or Pulumi Cloud";
  if (hasCaller(backend) || hasSignature(backend))
    return "has a user, a password or a key in it: the operator takes them from the Secret `state`";
  if (/^(s3:\/\/[a-z0-9][a-z0-9.-]*(\/[^\s?'"]*)?(\?[^\s'"]*)?|https:\/\/[\w.-]+(:\d+)?\/?)$/.test(backend))
    return undefined;
  return `is ${JSON.stringify(backend)}, which is neither a bucket, s3://…, nor Pulumi Cloud's address, https://…`;
}

function destinationProblem(name: string): string | undefined {
  return clusterName.test(name)
    ? undefined
    : `is ${JSON.stringify(name)}, which is no name of a cluster: \`argocd cluster list\` shows them`;
}

function imagesOf(given: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  for (const image of given) {
    const at = image.indexOf("=");
    const [name, reference] = [image.slice(0, at), image.slice(at + 1)];
    const { success } = imageRef.safeParse(reference);
    if (at < 1 || !success || /[\s@].*@|\s/.test(reference) || hasCaller(`https://${reference}`))
      problems.push(
        `--image ${image} is no NAME=REFERENCE with a tag or a digest, such as model=registry.example.com/team/model:1.2.`,
      );
    else if (images.has(name)) problems.push(`--image names ${name} twice.`);
    else images.set(name, reference);
  }
  return images;
}

/** `registry.example.com/team/model:1.2` is image `model`. */
function nameOf(reference: string): string {
  return (
    reference
      .split("/")
      .at(-1)
      ?.replace(/[:@].*$/, "") ?? ""
  );
}

/** Keys of a structured value are not merged by the operator: the file's own are given once more. */
function withImages(
  own: unknown,
  built: readonly string[],
  given: ReadonlyMap<string, string>,
): Delivery["images"] {
  if (built.length === 0) return undefined;
  const known = (own ?? {}) as { readonly prebuilt?: Readonly<Record<string, string>> };
  const prebuilt = Object.fromEntries(
    built.flatMap((name) => (given.has(name) ? [[name, given.get(name)]] : [])),
  );
  return { ...known, prebuilt: { ...known.prebuilt, ...prebuilt } };
}

function reference(given: string | undefined, stack: string, backend: string, problems: string[]): string {
  const inCloud = backend.startsWith("https:");
  const whole =
    (given ?? "").split(",").find((name) => name === stack || name.endsWith(`/${stack}`)) ?? stack;
  if (inCloud && !whole.includes("/")) {
    problems.push(
      `--stack: in Pulumi Cloud ${stack} belongs to an organisation: write ORGANISATION/${stack}.`,
    );
    return stack;
  }
  // An address that is wrong was found already, and may have a password in it.
  return backendProblem(backend) === undefined ? referenceOf(stack, { url: backend }) : stack;
}

function needsPassphrase(backend: string, settings: Readonly<Record<string, unknown>>): boolean {
  const provider = settings["secretsprovider"];
  if (typeof provider === "string") return provider === "passphrase";
  return !backend.startsWith("https:") || settings["encryptionsalt"] !== undefined;
}

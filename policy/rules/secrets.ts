import { containers, kindOf, release } from "./kubernetes";
import type { PolicyResource, Rule } from "./model";
import { hasCaller, hasSignature, isIssued, isSecretByName } from "../../config/secretWords";
import { dockerImage } from "./references";
import { at, join, lastKey, list, object, text, texts, walk } from "./values";

/** Keys that say where a secret stands, or which key of it to take. */
const reference = /^(existing|keyOf)|(pull|tls)Secrets?$/i;
/** Keys whose whole content says where secrets stand: `secretKeys: {password: …}` names the keys of a Secret. */
const references = /^(existing\w*Secret|secretKeys|\w*SecretRef|secretKeyRef)$/i;

export const noPlaintextSecret: Rule = {
  name: "no-plaintext-secret",
  description:
    "Passwords and keys stand in Kubernetes Secrets whose content is a Pulumi secret, and nowhere else.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => {
    const { props, secretPaths, type } = resource;
    if (type === dockerImage) return docker(resource);
    if (kindOf(resource) === undefined) return [];
    if (type === "kubernetes:core/v1:Secret") {
      return [...secretContent(resource), ...misplaced(secretPaths.filter((path) => !inSecret(path)))];
    }
    if (release(resource) !== undefined) {
      return [
        ...misplaced(secretPaths.filter((path) => /^values\b/.test(path))),
        ...literals(props["values"], "values", secretPaths),
        ...literals(props["repositoryOpts"], "repositoryOpts", secretPaths),
      ];
    }
    return [...misplaced(secretPaths), ...variables(resource), ...addresses(props, "", secretPaths)];
  },
};

/** Whether the value at the path is a secret, or part of one. */
function isSecret(path: string, secretPaths: readonly string[]): boolean {
  return secretPaths.some(
    (secret) => path === secret || path.startsWith(`${secret}.`) || path.startsWith(`${secret}[`),
  );
}

function inSecret(path: string): boolean {
  return /^(data|stringData)\b/.test(path);
}

function secretContent({ props, secretPaths }: PolicyResource): string[] {
  return ["data", "stringData"]
    .flatMap((field) =>
      Object.entries(object(props[field])).map(([key, value]) => ({ path: join(field, key), value })),
    )
    .filter(({ path, value }) => text(value) !== undefined && !isSecret(path, secretPaths))
    .map(
      ({ path }) =>
        `${path} is plain text in the state and in previews: pass it, or all of it, through pulumi.secret()`,
    );
}

/** Secrets where none may stand. The outermost paths only: what is inside is the same mistake. */
function misplaced(secretPaths: readonly string[]): string[] {
  return secretPaths
    .filter(
      (path) =>
        !isSecret(
          path,
          secretPaths.filter((other) => other !== path),
        ),
    )
    .map(
      (path) =>
        `${path} holds a secret, which the cluster stores and shows in plain text: put it into a Secret and refer to that`,
    );
}

/** Values of a chart, or of other free-form settings, that look like secrets. */
function literals(value: unknown, path: string, secretPaths: readonly string[]): string[] {
  const named = walk(value, path).flatMap(({ path: inner, value }) => {
    const key = lastKey(inner);
    const variable = text(at(value, "name"));
    const known = text(value) ?? "";
    const shown = isSecretByName(key, known) && !reference.test(key) && !isReferred(inner);
    if ((shown || isIssued(known)) && !isSecret(inner, secretPaths)) return [inner];
    const content = join(inner, "value");
    return variable !== undefined &&
      isSecretByName(variable, text(at(value, "value")) ?? "") &&
      !isSecret(content, secretPaths)
      ? [content]
      : [];
  });
  return [
    ...named.map(
      (inner) =>
        `${inner} looks like a secret in plain text: put it into a Secret and give the chart that one's name`,
    ),
    ...addresses(value, path, secretPaths),
  ];
}

function isReferred(path: string): boolean {
  return path
    .split(".")
    .slice(0, -1)
    .some((key) => references.test(key));
}

function variables(resource: PolicyResource): string[] {
  return containers(resource).flatMap(({ path, container }) =>
    list(container["env"]).flatMap((variable, index) => {
      const name = text(at(variable, "name")) ?? "";
      const where = join(join(join(path, "env"), index), "value");
      if (!isSecretByName(name, text(at(variable, "value")) ?? "")) return [];
      if (isSecret(where, resource.secretPaths)) return [];
      return [
        `${where} of ${name} looks like a secret in plain text: take it from a Secret by valueFrom.secretKeyRef`,
      ];
    }),
  );
}

function addresses(value: unknown, path: string, secretPaths: readonly string[]): string[] {
  return texts(value, path)
    .filter(({ path }) => !isSecret(path, secretPaths))
    .filter(({ text }) => givesAway(text))
    .map(({ path }) => `${path} has an address with a password in it: put the password into a Secret`);
}

/** What was found in texts: the files of a server stand in a ConfigMap of each of a thousand models. */
const judged = new Map<string, boolean>();

function givesAway(text: string): boolean {
  const known = judged.get(text) ?? (hasCaller(text) || hasSignature(text));
  judged.set(text, known);
  return known;
}

function docker({ props, secretPaths }: PolicyResource): string[] {
  const path = "registry.password";
  if (text(at(props, "registry", "password")) === undefined || isSecret(path, secretPaths)) return [];
  return [
    `${path} is plain text in the state: set it with pulumi config set --secret, or pass it through pulumi.secret()`,
  ];
}

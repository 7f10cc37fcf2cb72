/** What may be wrong with an image reference and with a registry, beyond "is not one". */
import { hasRegistryCaller } from "./secretWords";
import { shown } from "./words";

const pathPart = "[a-z0-9]+([._-]+[a-z0-9]+)*";
const imagePath = `${pathPart}(/${pathPart})*`;
const registryHost = "[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:\\d{1,5})?";
const reference = new RegExp(
  `^(${registryHost}/)?${imagePath}(:[\\w][\\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`,
);

const loggedIn =
  "has a user or a password in it, which everybody could read: leave them out, docker login keeps them";

/** What is wrong with an image reference, to be read behind its place. */
export function imageProblem(text: string): string | undefined {
  const quoted = shown(text);
  const [named = ""] = text.split("@");
  const tag = /:([^/:]+)$/.exec(named)?.[1];
  const scheme = schemeOf(text);
  if (hasRegistryCaller(text)) return loggedIn;
  if (scheme !== undefined) return `is ${quoted}: leave ${scheme} out`;
  const path = named.slice(named.includes("/") ? named.indexOf("/") : 0).replace(/:[^/]*$/, "");
  if (path !== path.toLowerCase())
    return `is ${quoted}, with capital letters in the path, which must have none`;
  if (!reference.test(text))
    return `is ${quoted}, which is not an image reference, such as "registry.example.com/team/model:1.2"`;
  if (text.includes("@")) return undefined;
  if (tag === undefined) return `is ${quoted}, with neither tag nor digest: say which image it is`;
  if (tag === "latest")
    return `is ${quoted}: latest is another image tomorrow, so name a version or a digest`;
  return undefined;
}

/** What is wrong with a registry and its path, to be read behind its place. */
export function registryProblem(text: string): string | undefined {
  const quoted = shown(text);
  const scheme = schemeOf(text);
  if (hasRegistryCaller(text)) return loggedIn;
  if (scheme !== undefined) return `is ${quoted}: leave ${scheme} out`;
  if (/^\.{0,2}\//.test(text))
    return `is ${quoted}, which is a folder: a folder of charts stands under mirror.charts`;
  if (text.endsWith("/")) return `is ${quoted}: leave the slash at the end out`;
  const path = text.slice(text.indexOf("/"));
  if (text.includes("/") && path !== path.toLowerCase())
    return `is ${quoted}, with capital letters in the path, which must have none`;
  if (!new RegExp(`^${registryHost}(/${imagePath})?$`).test(text))
    return `is ${quoted}, which is not a registry, such as "registry.example.com/team"`;
  const [host = ""] = text.split("/");
  if (!/[.:]|^localhost$/.test(host))
    return `is ${quoted}: Docker takes a host without dot or port for a path on Docker Hub, so name it in full`;
  return undefined;
}

function schemeOf(text: string): string | undefined {
  return /^[a-z]+:\/\//i.exec(text)?.[0];
}

import { brief } from "./scene";

/** Why the API server did not take an object. */
export interface Refusal {
  /** It was not allowed; else it could not be found out whether it is. */
  readonly may: boolean;
  readonly why: string;
  readonly mend?: string;
}

/** What has refused an object, by the API server's words: a quota, a limit, Pod Security, a webhook. */
export function refusedBy(message: string): Refusal | undefined {
  const [, quota, asked, used, limited] =
    /exceeded quota: (.+?), requested: (.+?), used: (.+?), limited: (.+)$/m.exec(message) ?? [];
  if (quota !== undefined)
    return {
      may: true,
      why: `one asks for ${asked ?? ""}, and quota ${quota} allows ${limited ?? ""} in all (used: ${used ?? ""})`,
      mend: "Raise the namespace's quota, or ask for less in the stack configuration.",
    };
  const limits = /is forbidden: \[?((?:minimum|maximum) .* usage per .*?)\]?$/m.exec(message)?.[1];
  if (limits !== undefined)
    return {
      may: true,
      why: `by a LimitRange of the namespace, ${limits.replace(/\.$/, "")}`,
      mend: "Change the LimitRange (kubectl get limitrange --all-namespaces), or what the stack configuration asks for.",
    };
  const [, level, violations = ""] = /violates PodSecurity "([^:"]+).*?": (.*)$/m.exec(message) ?? [];
  if (level !== undefined)
    return {
      may: true,
      why: `Pod Security level ${level} forbids ${brief(violations.replace(/ \(.*?\)(?=,|$)/g, ""))}`,
      mend: "Give the pods a securityContext that complies, or the namespace another level.",
    };
  const account = /serviceaccount "(.+?)" not found/.exec(message)?.[1];
  if (account !== undefined)
    return {
      may: true,
      why: `ServiceAccount ${account} does not exist`,
      mend: "Make the ServiceAccount, or correct its name.",
    };
  const [, silent, met = ""] = /failed calling webhook "(.+?)": (.*)$/m.exec(message) ?? [];
  if (silent !== undefined)
    return {
      may: false,
      why: `webhook ${silent} does not answer (${brief(met.replace(/^.*https?:[^"]*": /, ""))})`,
      mend:
        "If what serves the webhook is gone for good, delete its ValidatingWebhookConfiguration or " +
        "MutatingWebhookConfiguration.",
    };
  const [, strict, says = ""] = /admission webhook "(.+?)" denied the request: ([^]*)$/.exec(message) ?? [];
  return strict === undefined ? undefined : { may: true, why: `webhook ${strict} says: ${brief(says)}` };
}

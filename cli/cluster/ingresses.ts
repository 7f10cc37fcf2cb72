import type { V1Ingress, V1IngressClass, V1Secret } from "@kubernetes/client-node";

import type { Cluster, Live } from "./cluster";

/** What somebody else has to bring for an Ingress. */
export interface IngressNeeds {
  readonly namespace: string;
  /** Undefined for the cluster's default. */
  readonly className: string | undefined;
  /** Secrets with certificates, in the same namespace. */
  readonly secrets: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** Something that an Ingress needs and that is not there. */
export interface IngressFault {
  /** To be read behind the Ingress. */
  readonly what: string;
  readonly mend: string;
}

/** What an Ingress that is in the cluster needs. */
export function needsOf({ metadata, spec }: Live<V1Ingress>): IngressNeeds {
  return {
    namespace: metadata?.namespace ?? "",
    className: spec?.ingressClassName,
    secrets: (spec?.tls ?? []).flatMap(({ secretName }) => secretName ?? []),
    annotations: metadata?.annotations ?? {},
  };
}

/** What it needs and the cluster does not have: nobody but the controller would say so, in its log. @throws Refused */
export async function ingressFaults(
  cluster: Cluster,
  { namespace, className, secrets, annotations }: IngressNeeds,
): Promise<IngressFault[]> {
  const [classes, found] = await Promise.all([
    cluster.list<V1IngressClass>("/apis/networking.k8s.io/v1/ingressclasses"),
    Promise.all(
      secrets.map((name) => cluster.get<V1Secret>(`/api/v1/namespaces/${namespace}/secrets/${name}`)),
    ),
  ]);
  const faults: IngressFault[] = [];
  const names = classes.map(({ metadata }) => metadata?.name ?? "").sort();
  if (className !== undefined && !names.includes(className))
    faults.push({
      what: `names the ingress class ${className}, and the cluster has ${names.length === 0 ? "none" : names.join(", ")}: no controller takes it up`,
      mend: "Install its controller, or name another: tracking.ingress.className",
    });
  // cert-manager makes the Secret once the Ingress is there.
  const issued = Object.keys(annotations).some((key) => /^cert-manager\.io\/(cluster-)?issuer$/.test(key));
  for (const [index, name] of secrets.entries()) {
    const secret = found[index];
    const create = `kubectl -n ${namespace} create secret tls ${name} --cert=FILE --key=FILE`;
    if (secret === undefined && !issued)
      faults.push({
        what: `names the certificate in Secret ${namespace}/${name}, which is not there: browsers are shown another one`,
        mend: `Create it: ${create}`,
      });
    else if (secret !== undefined && secret.type !== "kubernetes.io/tls")
      faults.push({
        what: `names the certificate in Secret ${namespace}/${name}, which is of type ${secret.type ?? "Opaque"}, not kubernetes.io/tls`,
        mend: `Delete it, and: ${create}`,
      });
  }
  return faults;
}

import { X509Certificate } from "node:crypto";

import type { V1Secret } from "@kubernetes/client-node";

import { namespaceNames } from "../../../components/capabilities";
import type { Cluster } from "../../cluster/cluster";
import type { Health, Item } from "../../status/item";

/** The Secret of Seldon's chart, or of cert-manager in its place. */
const secretName = "seldon-webhook-server-cert";
const dayMilliseconds = 86_400_000;
/** From so many days before its end on, the certificate is worth a word. */
const noticeDays = 30;

/**
 * The certificate of Seldon's webhook. The API server refuses every SeldonDeployment from its last day on
 * (SeldonIO/seldon-core#3366), and nothing else tells beforehand.
 *
 * @throws Refused
 */
export async function certificateItems(
  cluster: Cluster,
  now = cluster.now().getTime(),
): Promise<readonly Item[]> {
  const address = `/api/v1/namespaces/${namespaceNames.servingOperator}/secrets/${secretName}`;
  const secret = await cluster.get<V1Secret>(address);
  const encoded = secret?.data?.["tls.crt"];
  if (encoded === undefined) return [];
  const { validTo } = new X509Certificate(Buffer.from(encoded, "base64"));
  const until = new Date(validTo);
  const days = Math.floor((until.getTime() - now) / dayMilliseconds);
  const health = healthOf(days);
  const byCertManager = secret?.metadata?.annotations?.["cert-manager.io/certificate-name"] !== undefined;
  const date = until.toISOString().slice(0, 10);
  return [
    {
      part: "certificate",
      name: secretName,
      health,
      state: days < 0 ? "expired" : `${days} days left`,
      detail: days < 0 ? `expired on ${date}: no model can be changed` : `of Seldon's webhook, until ${date}`,
      ...(health === "well" ? {} : { mend: byCertManager ? renewedByCertManager : renewedByChart }),
      facts: { expires: until.toISOString(), days },
    },
  ];
}

function healthOf(days: number): Health {
  if (days < 0) return "ill";
  return days < noticeDays ? "warning" : "well";
}

const renewedByChart =
  "raise serving.certificateSerial in the stack's configuration, and: npm run up. Or have cert-manager renew it " +
  "from now on: serving.certificate";

const renewedByCertManager = `cert-manager renews it and has not: kubectl -n ${namespaceNames.servingOperator} describe certificate`;

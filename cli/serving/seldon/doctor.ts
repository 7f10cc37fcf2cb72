import type {
  V1CustomResourceDefinition,
  V1Deployment,
  V1Service,
  V1ValidatingWebhookConfiguration,
} from "@kubernetes/client-node";

import { namespaceNames } from "../../../components/capabilities";
import type { Finding } from "../../../finding";
import type { Check } from "../../checks/check";
import type { Cluster, Live } from "../../cluster/cluster";
import { clusterKinds, inWords } from "../../cluster/kinds";
import { HelmReleases } from "../../cluster/releases";
import type { Patient } from "../../doctor/patient";
import { certificateItems } from "./certificate";
import {
  type SeldonDeployment,
  definitionAddress,
  deploymentsIn,
  kind,
  seldonDefinition,
  seldonDeployments,
  seldonGroup,
} from "./resource";

const webhooks = clusterKinds.ValidatingWebhookConfiguration;
/** Name that Seldon's chart gives its operator, in whatever namespace. */
const operator = "seldon-controller-manager";

export const definitionCheck: Check<Patient> = {
  subject: "Seldon's definitions",
  asks: "whether the definition of SeldonDeployments is there without an operator that makes something of them",
  find: async ({ cluster }) => {
    const [found, operators] = await Promise.all([
      cluster.get<V1CustomResourceDefinition>(definitionAddress),
      cluster.list<V1Deployment>(`/apis/apps/v1/deployments?fieldSelector=metadata.name=${operator}`),
    ]);
    if (found === undefined || operators.length > 0) return [];
    const models = await seldonDeployments(cluster);
    if (models.length > 0) return [modelsWithoutOperator(cluster, models)];
    // Kept on purpose, for another installation; or a release has it that is on its way in or out.
    if (found.metadata?.annotations?.["helm.sh/resource-policy"] === "keep") return [];
    if (await isInRelease(cluster, found)) return [];
    return [
      {
        severity: "error",
        what: "Seldon's definition without its operator",
        detail: `${seldonDefinition} is in the cluster, ${operator} is not, and there is no SeldonDeployment`,
        means: "Helm refuses to install the operator if another release has left the definition",
        mend: "remove the definition; no model is lost, and the next `up` makes it again",
        repair: async () => {
          await cluster.remove(definitionAddress);
        },
      },
    ];
  },
};

async function isInRelease(
  cluster: Cluster,
  { metadata }: Live<V1CustomResourceDefinition>,
): Promise<boolean> {
  const { annotations = {} } = metadata ?? {};
  const namespace = annotations["meta.helm.sh/release-namespace"];
  if (namespace === undefined) return false;
  const releases = await new HelmReleases(cluster).list(namespace);
  return releases.some(({ name }) => name === annotations["meta.helm.sh/release-name"]);
}

function modelsWithoutOperator(cluster: Cluster, models: readonly SeldonDeployment[]): Finding {
  const names = models.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ");
  const held = models.filter(
    ({ metadata }) => metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length > 0,
  );
  const common = {
    severity: "error" as const,
    what: "models without Seldon's operator",
    detail: `there is no ${operator}, but there are SeldonDeployments: ${names}`,
    about: models.map(({ metadata }) => inWords(kind, metadata.namespace, metadata.name)),
  };
  if (held.length === 0)
    return {
      ...common,
      means: "what serves goes on, but nothing that is changed or made takes effect",
      mend: "bring the operator back: npm run up",
    };
  return {
    ...common,
    means: `${held.length} of them were removed and wait for the operator to let them go, and their namespace with them`,
    mend: "let go of those that were removed",
    repair: () => letGo(cluster, held),
  };
}

/** Has Kubernetes no longer wait for who would have tidied up. */
async function letGo(cluster: Cluster, held: readonly SeldonDeployment[]): Promise<void> {
  for (const { metadata } of held)
    await cluster.send(`${deploymentsIn(metadata.namespace)}/${metadata.name}`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: JSON.stringify({ metadata: { finalizers: null } }),
    });
}

export const webhookCheck: Check<Patient> = {
  subject: "Seldon's webhook",
  asks: "whether a webhook for SeldonDeployments leads nowhere: the API server then refuses each of them",
  find: async ({ cluster }) => {
    const all = await cluster.list<V1ValidatingWebhookConfiguration>(webhooks);
    const found = await Promise.all(all.filter(isSeldons).map((one) => orphan(cluster, one)));
    return found.flat();
  },
};

function isSeldons({ webhooks: hooks = [] }: Live<V1ValidatingWebhookConfiguration>): boolean {
  return hooks.some(({ rules = [] }) => rules.some(({ apiGroups }) => apiGroups?.includes(seldonGroup)));
}

async function orphan(
  cluster: Cluster,
  { metadata, webhooks: hooks = [] }: Live<V1ValidatingWebhookConfiguration>,
): Promise<Finding[]> {
  const name = metadata?.name ?? "";
  const service = hooks[0]?.clientConfig.service;
  if (service === undefined) return [];
  const address = `/api/v1/namespaces/${service.namespace}/services/${service.name}`;
  if ((await cluster.get<V1Service>(address)) !== undefined) return [];
  return [
    {
      severity: "error",
      what: `webhook ${name} leads nowhere`,
      detail: `it asks Service ${service.name} in ${service.namespace}, which does not exist`,
      means: "the API server refuses every SeldonDeployment of the cluster, whoever makes or removes it",
      mend: "remove the webhook's configuration; the operator's release brings one that works",
      repair: async () => {
        await cluster.remove(`${webhooks}/${name}`);
      },
    },
  ];
}

export const certificateCheck: Check<Patient> = {
  subject: "Seldon's certificate",
  asks: "whether the webhook's certificate is, and stays, valid",
  find: async ({ cluster }) => {
    const items = await certificateItems(cluster);
    return items
      .filter(({ health }) => health !== "well")
      .map(({ name, state, detail, mend = "" }) => ({
        severity: "error",
        what: `certificate ${name}: ${state}`,
        detail,
        means: "from its last day on the API server refuses every SeldonDeployment; what serves goes on",
        mend,
        about: [inWords("Secret", namespaceNames.servingOperator, name)],
      }));
  },
};

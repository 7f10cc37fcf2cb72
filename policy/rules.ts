/** The rules that every resource of every stack must meet. */
import { listedCharts } from "./rules/charts";
import { protectedData } from "./rules/data";
import { noExposedService, noPublicBucket } from "./rules/exposure";
import { listedImages, noLatestImage } from "./rules/images";
import { rootComponent } from "./rules/kubernetes";
import type { PolicyResource, Rule, Violation } from "./rules/model";
import { defaultDeny, podSecurityLabels } from "./rules/namespaces";
import { noWildcardRole } from "./rules/rbac";
import { requestsAndLimits } from "./rules/resources";
import { noPlaintextSecret } from "./rules/secrets";
import { licenceAcknowledged, noTelemetry } from "./rules/terms";
import { text } from "./rules/values";
import { noServiceAccountToken, restrictedContainers } from "./rules/workloads";

export type { Enforcement, PolicyResource, Rule, Stack, Violation } from "./rules/model";
export type { AllowedImage } from "./rules/images";
export { listedImages } from "./rules/images";

/** Every rule, in the order in which findings are told. */
export const rules: readonly Rule[] = [
  noPlaintextSecret,
  noLatestImage,
  listedImages(),
  listedCharts,
  requestsAndLimits,
  restrictedContainers,
  noServiceAccountToken,
  noPublicBucket,
  noExposedService,
  podSecurityLabels,
  defaultDeny,
  protectedData,
  licenceAcknowledged,
  noTelemetry,
  noWildcardRole,
];

/**
 * What the rules find in a stack.
 *
 * @param environment `dev`, `staging` or `prod`; {@link environmentOf} finds it out.
 * @param among the rules to go by. @default every rule
 */
export function findings(
  resources: readonly PolicyResource[],
  environment: string,
  among: readonly Rule[] = rules,
): Violation[] {
  const stack = { resources, environment };
  return among.flatMap(({ name, enforcement, check }) =>
    resources.flatMap((resource) =>
      check(resource, stack).map((what) => ({
        severity: enforcement === "mandatory" ? "error" : "warning",
        what,
        rule: name,
        resource: resource.urn,
      })),
    ),
  );
}

/** The environment that the root component was told, or else the one that the stack's name speaks of. */
export function environmentOf(resources: readonly PolicyResource[], stackName: string): string {
  const told = text(resources.find(({ type }) => type === rootComponent)?.props["environment"]);
  if (told !== undefined) return told;
  if (/(^|[-_.])prod(uction)?$/.test(stackName)) return "prod";
  return /(^|[-_.])stag(e|ing)$/.test(stackName) ? "staging" : "dev";
}

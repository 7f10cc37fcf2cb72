/** Rules about what the installed software asks of, or tells about, who installs it. */
import { seldonChartName, seldonVersions } from "../../pins";
import { release } from "./kubernetes";
import type { PolicyResource, Rule } from "./model";
import { at, is, isUnknown, text } from "./values";

const servingOperator = "mlplatform:serving:ServingOperator";

/** The licence of a version of Seldon; one that the list does not know is under what the newest ones are under. */
function seldonLicence(version: string): string {
  const known: Readonly<Record<string, { readonly licence: string }>> = seldonVersions;
  return known[version]?.licence ?? "BUSL-1.1";
}

function needsLicence(licence: string): boolean {
  return /^(BUSL|BSL)\b|Business Source/i.test(licence);
}

export const licenceAcknowledged: Rule = {
  name: "licence-acknowledged",
  description:
    "Software under the Business Source License is installed only by who has said to have read it.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource, { resources }) => {
    if (resource.type === servingOperator) return ofComponent(resource);
    const installed = release(resource);
    if (installed?.chart !== seldonChartName || installed.version === undefined) return [];
    const licence = seldonLicence(installed.version);
    // The component tells of its own release, and is registered before it.
    const told = resources.some(({ type }) => type === servingOperator);
    return needsLicence(licence) && !told
      ? [
          `version ${installed.version} of Seldon Core is under ${licence}: install it through ServingOperator, ` +
            "which takes licenceAcknowledged",
        ]
      : [];
  },
};

function ofComponent({ props }: PolicyResource): string[] {
  if (isUnknown(props["version"]) || isUnknown(props["licenceAcknowledged"])) return [];
  const version = text(props["version"]) ?? "of unknown number";
  const licence = seldonLicence(version);
  const faults: string[] = [];
  if (!isUnknown(props["licence"]) && props["licence"] !== licence) {
    faults.push(
      `licence is ${text(props["licence"]) ?? "missing"}, but version ${version} of Seldon Core is under ${licence}: say so`,
    );
  }
  if (needsLicence(licence) && props["licenceAcknowledged"] !== true) {
    faults.push(
      `version ${version} of Seldon Core is under ${licence}, which forbids production without a licence of Seldon's: ` +
        "set serving.licenceAcknowledged to true if you have one or need none, or take 1.17.1",
    );
  }
  return faults;
}

export const noTelemetry: Rule = {
  name: "no-telemetry",
  description: "Nothing that is installed tells its makers about its use.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => {
    const installed = release(resource);
    if (installed?.chart !== seldonChartName || is(false, installed.values, "usageMetrics", "enabled"))
      return [];
    const enabled = at(installed.values, "usageMetrics", "enabled");
    return [
      `values.usageMetrics.enabled is ${enabled === undefined ? "left to the chart" : JSON.stringify(enabled)}: set it to false`,
    ];
  },
};

import type { PlatformConfig } from "../../config";

/** Labels for what Prometheus scrapes; none where monitoring is off. */
export function monitorLabels({ monitoring }: Pick<PlatformConfig, "monitoring">) {
  return monitoring.enabled ? monitoring.labels : undefined;
}

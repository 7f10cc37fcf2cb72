import type { Footprint } from "../footprint";

const group = "monitoring.coreos.com";

export const monitoring = {
  titles: {},
  prerequisites: [
    {
      name: "the Prometheus operator",
      group,
      needed: ({ groups, isOn }) => groups.has(group) || isOn("serviceMonitor"),
      setting: "monitoring.enabled: true",
      link: "https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack",
      severity: "error",
    },
  ],
} as const satisfies Footprint;

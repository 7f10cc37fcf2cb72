import * as z from "zod";

import { dnsLabel, labelKey, labelValue } from "../../config/fields";

/** What Prometheus gets to see. */
export const monitoring = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        "whether to make ServiceMonitors and PodMonitors; the Prometheus operator has to be in the cluster",
      ),
    namespace: dnsLabel().default("monitoring").describe("namespace of Prometheus, which is let in"),
    labels: z
      .record(labelKey, labelValue)
      .default({ release: "kube-prometheus-stack" })
      .describe("labels by which Prometheus finds the monitors"),
  })
  .prefault({})
  .describe("what Prometheus gets to see");

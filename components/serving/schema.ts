import * as z from "zod";

import { type ByEnvironment, cpu, like, memory, values } from "../../config/fields";
import type { Mistake } from "../../config/mistakes";
import type { StackConfig } from "../../config/schema";
import { type SeldonVersion, seldonVersions } from "../../pins";

const seldonVersion = z.enum(Object.keys(seldonVersions) as SeldonVersion[]);

/** What serves the models. */
export const serving = z
  .strictObject({
    version: seldonVersion
      .default("1.17.1")
      .describe("version of Seldon Core; from 1.18 on it is under the Business Source License 1.1"),
    licenceAcknowledged: z
      .boolean()
      .default(false)
      .describe("`true` says that you have read the licence of a version from 1.18 on, and may use it"),
    certificate: z
      .enum(["chart", "cert-manager"])
      .default("chart")
      .describe(
        "who makes the webhook's certificate: `cert-manager` renews it and has to be in the cluster; " +
          "`chart` makes one that is valid for 365 days",
      ),
    certificateSerial: z
      .int()
      .min(1)
      .default(1)
      .describe("raise it to have the chart make a new certificate; it is made anew at upgrades too"),
    istio: z
      .strictObject({
        gateway: like(
          /^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
          'namespace and name of a gateway, such as "istio-system/seldon-gateway"',
        )
          .default("istio-system/seldon-gateway")
          .describe("the gateway"),
      })
      .optional()
      .describe("split traffic with Istio, which has to be in the cluster"),
    values,
  })
  .prefault({})
  .describe("Seldon Core, which serves the models");

/** What all models and trainings together may ask for. */
export const modelQuota = (by: ByEnvironment) =>
  z
    .strictObject({
      cpu: cpu.default(by({ dev: "3", staging: "8", prod: "32" })).describe("sum of CPU requests"),
      memory: memory
        .default(by({ dev: "4Gi", staging: "16Gi", prod: "64Gi" }))
        .describe("sum of memory requests"),
      pods: z
        .int()
        .min(1)
        .default(by({ dev: 20, staging: 50, prod: 200 }))
        .describe("number of pods"),
    })
    .prefault({})
    .describe("what all models and trainings together may ask for");

/** Whether a version may be used as its licence stands. */
export function checkLicence({ serving }: Partial<Pick<StackConfig, "serving">>): Mistake[] {
  if (serving === undefined) return [];
  const { licence } = seldonVersions[serving.version];
  if (licence === "Apache-2.0" || serving.licenceAcknowledged) return [];
  return [
    {
      path: ["serving", "version"],
      message:
        `is ${serving.version}, which is under ${licence}: no production use without a licence from Seldon. ` +
        "Set licenceAcknowledged: true if you may use it, or take 1.17.1, the last one under Apache-2.0",
    },
  ];
}

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { type ChartPin, chartSource, type ImagePin, imageParts, type Mirror } from "../pins";
import { chartFootprints } from "./capabilities";
import { mergeValues, misfits } from "./values";

/** What every component that wraps a chart takes. */
export interface ChartArgs {
  /** Namespace that it is installed into. */
  namespace: pulumi.Input<string>;
  /**
   * Where charts and images are taken from instead.
   * @default where they are published
   */
  mirror?: Mirror;
  /**
   * Values of the chart, merged over the platform's own. They are kept in the state and in the release as they are,
   * so no passwords.
   * @default {}
   */
  values?: Readonly<Record<string, unknown>>;
}

/**
 * Installs a chart and waits until what it installs is ready.
 *
 * A real Helm release, not a rendered template: hooks run, and `lookup` finds what is there.
 *
 * @throws pulumi.InputPropertiesError values of the user's would take away groups or lists that the platform needs.
 * @param release name of the release. Fixed, since names of Services follow from it.
 */
export function installChart(
  name: string,
  release: string,
  pin: ChartPin,
  args: ChartArgs,
  values: Readonly<Record<string, unknown>>,
  opts: pulumi.CustomResourceOptions,
): k8s.helm.v3.Release {
  const { section = "", added } = chartFootprints[pin.name] ?? {};
  const own = args.values ?? {};
  const wrong = misfits(values, own, added);
  if (wrong.length > 0)
    throw new pulumi.InputPropertiesError({
      message: `Values of chart ${pin.name} would take away what the platform needs; nothing was changed:`,
      errors: wrong.map((path) => ({
        propertyPath: `mlplatform:${section}.values.${path}`,
        reason: "is a group or a list of the platform's own: give keys or entries of it, or leave it out",
      })),
    });
  return new k8s.helm.v3.Release(
    name,
    {
      name: release,
      namespace: args.namespace,
      ...chartSource(pin, args.mirror),
      values: mergeValues(values, own, added),
      // Pulling the images for the first time takes longer than Helm's five minutes on a slow line.
      timeout: 900,
      // A failed release stays, with its pods and their logs; the next `up` mends it in place.
      atomic: false,
      maxHistory: 5,
    },
    { ...opts, deleteBeforeReplace: true },
  );
}

/** An image in the values of the CloudPirates charts. Pinned by digest, it need not be pulled at every start. */
export function chartImage(
  pin: ImagePin,
  mirror: Mirror | undefined,
  policyKey: "imagePullPolicy" | "pullPolicy" = "imagePullPolicy",
) {
  const { registry, path, tag } = imageParts(pin, mirror);
  return { registry, repository: path, tag, [policyKey]: "IfNotPresent" };
}

/** A volume in the values of a chart. */
export interface Storage {
  /** It cannot shrink, and most storage classes cannot change it at all. */
  readonly size: string;
  /** @default the cluster's default class */
  readonly storageClass?: string | undefined;
}

/** A volume's size and class. An empty class would mean none, so a missing one is left out. */
export function chartStorage({ size, storageClass }: Storage) {
  return { size, ...(storageClass === undefined ? {} : { storageClass }) };
}

/**
 * Amounts as Kubernetes writes them:
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */

const factors: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** The number behind an amount such as `500m`, `1.5Gi` or `1e9`; undefined if Kubernetes does not take it for one. */
export function quantity(written: string): number | undefined {
  // An E with a number behind it is an exponent, and alone a suffix.
  const [, number, exponent, unit = ""] =
    /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/.exec(written) ?? [];
  const factor = factors[unit];
  if (number === undefined || factor === undefined) return undefined;
  return Number(`${number}${exponent ?? ""}`) * factor;
}

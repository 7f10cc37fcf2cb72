const factors: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
};

/** The number behind an amount as Kubernetes writes it: `500m`, `2`, `1Gi`. */
export function amount(quantity: string | undefined): number {
  const [, digits = "0", unit = ""] = /^([\d.]+(?:e\d+)?)([A-Za-z]*)$/.exec(quantity ?? "0") ?? [];
  return Number(digits) * (factors[unit] ?? Number.NaN);
}

/** An amount of a resource for people: `1.5 CPU`, `23.3 GiB of memory`, `1 nvidia.com/gpu`. */
export function inWords(resource: string, value: number): string {
  if (resource === "cpu") return `${rounded(value)} CPU`;
  if (resource === "memory") return `${bytes(value)} of memory`;
  return resource === "ephemeral-storage" ? `${bytes(value)} of disk` : `${rounded(value)} ${resource}`;
}

function bytes(value: number): string {
  return value >= 2 ** 30 ? `${rounded(value / 2 ** 30)} GiB` : `${rounded(value / 2 ** 20)} MiB`;
}

function rounded(value: number): string {
  return String(
    value >= 100 ? Math.round(value) : Math.round(value * 10) / 10 || Math.round(value * 1000) / 1000,
  );
}

import { quantity } from "../../../config/quantity";

/** The number behind an amount in the cluster; none is 0, and one that is not understood is not a number. */
export function amount(written: string | undefined): number {
  return quantity(written ?? "0") ?? Number.NaN;
}

/** An amount of a resource for people: `1.5 CPU`, `23.3 GiB of memory`, `1 nvidia.com/gpu`. */
export function inWords(resource: string, value: number): string {
  if (resource === "cpu") return `${rounded(value)} CPU`;
  if (resource === "memory") return `${inBytes(value)} of memory`;
  return resource === "ephemeral-storage" ? `${inBytes(value)} of disk` : `${rounded(value)} ${resource}`;
}

/** A number of bytes for people: `23.3 GiB`. */
export function inBytes(value: number): string {
  return value >= 2 ** 30 ? `${rounded(value / 2 ** 30)} GiB` : `${rounded(value / 2 ** 20)} MiB`;
}

function rounded(value: number): string {
  return String(
    value >= 100 ? Math.round(value) : Math.round(value * 10) / 10 || Math.round(value * 1000) / 1000,
  );
}

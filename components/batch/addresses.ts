/** What stands in braces in the addresses of tables; `ml-app/batch/naming.py` puts in what is known in the cluster. */

/** The names in braces. */
export function marks(address: string): string[] {
  return [...address.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name);
}

/** An address with the version of the model in it. */
export function versioned(address: string, version: number | undefined): string {
  return address.replaceAll("{version}", String(version ?? "{version}"));
}

/** An address as it is in the run of some time. */
export function dated(address: string, time: Date): string {
  const [date = "", clock = ""] = time.toISOString().split("T");
  return address
    .replaceAll("{date}", date)
    .replaceAll("{time}", `${date}T${clock.slice(0, 5).replace(":", "")}Z`);
}

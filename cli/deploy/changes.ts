/**
 * The number of resources as the engine counts its changes: without the providers that it makes by itself.
 *
 * @param resources of a state, the stack itself among them.
 */
export function counted(resources: readonly { readonly urn: string }[]): number {
  return resources.filter(({ urn }) => !/::pulumi:providers:[\w-]+::default_/.test(urn)).length;
}

/** The changes in words: `3 created, 59 unchanged`. */
export function told(changes: Readonly<Record<string, number>>): string {
  const words: Readonly<Record<string, string>> = {
    create: "created",
    update: "updated",
    delete: "removed",
    replace: "replaced",
    same: "unchanged",
  };
  const parts = Object.entries(changes).map(([op, count]) => `${count} ${words[op] ?? op}`);
  return parts.length === 0 ? "nothing to do" : parts.join(", ");
}

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

import type { Check, Problem } from "./problem";

/** What `npm run status` marks: the two commands say one thing. */
export const statusCheck: Check = {
  title: "all that is declared",
  examine: async ({ status }) => {
    const items = (await status()).filter(({ health }) => health === "ill");
    return items.map(({ part, name, state, detail, mend }) => ({
      title: `${part} ${name}: ${state}`,
      found: detail === "" ? state : detail,
      means: "it does not do its work, or not all of it",
      mend: mendOf(mend),
      about: name.split("/").at(-1) ?? "",
    }));
  },
};

function mendOf(mend: string | undefined): Problem["mend"] {
  // The line of a status may send people here.
  if (mend === undefined || mend === "npm run doctor")
    return { description: "see what is wrong with it", command: "npm run logs" };
  return /^(npm|kubectl) /.test(mend)
    ? { description: "bring it back", command: mend }
    : { description: mend };
}

/** Those of some problems whose object no other problem speaks of. */
export function unexplained(problems: readonly Problem[], others: readonly Problem[]): Problem[] {
  const told = others.map(({ title, found }) => `${title} ${found}`);
  return problems.filter(({ about = "" }) => about === "" || !told.some((text) => text.includes(about)));
}

import type { Rule } from "./model";
import { at, join, list } from "./values";

export const noWildcardRole: Rule = {
  name: "no-wildcard-role",
  description: "A role of our own names the verbs and resources that it is for.",
  enforcement: "advisory",
  needs: "resource",
  check: ({ type, props }) => {
    if (!/^kubernetes:rbac\.authorization\.k8s\.io\/v1:(Cluster)?Role$/.test(type)) return [];
    return list(props["rules"]).flatMap((rule, index) =>
      ["apiGroups", "resources", "verbs"]
        .filter((key) => list(at(rule, key)).includes("*"))
        .map((key) => `${join(join("rules", index), key)} is "*", which is everything: name what is needed`),
    );
  },
};

import { allCharts } from "../../pins";
import { release } from "./kubernetes";
import type { Rule } from "./model";
import { has, isUnknown } from "./values";

export const listedCharts: Rule = {
  name: "charts-from-list",
  description:
    "Every Helm release installs a chart of pins.ts in a version of it, with values that can be seen.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => {
    const found = release(resource);
    if (found === undefined || ["chart", "version"].some((key) => isUnknown(resource.props[key]))) return [];
    const { chart, version } = found;
    const listed = allCharts.filter(({ name }) => name === chart).map((pin) => pin.version);
    const faults: string[] = [];
    if (listed.length === 0) {
      faults.push(
        `chart ${chart} is not listed in pins.ts: add it there, with its images, its licence and the reason`,
      );
    } else if (version === undefined || !listed.includes(version)) {
      faults.push(
        `version is ${version ?? "missing"}, but pins.ts lists ${listed.join(", ")} of chart ${chart}: take that, or change the list`,
      );
    }
    if (has(resource.props, "valueYamlFiles")) {
      faults.push("valueYamlFiles hides values from every other rule: pass them as values");
    }
    return faults;
  },
};

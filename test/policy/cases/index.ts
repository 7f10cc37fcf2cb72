import type { Case } from "../support/case";
import { exposureCases } from "./exposure";
import { imageCases } from "./images";
import { secretCases } from "./secrets";
import { termCases } from "./terms";
import { workloadCases } from "./workloads";

export const cases: readonly Case[] = [
  ...secretCases,
  ...imageCases,
  ...workloadCases,
  ...exposureCases,
  ...termCases,
];

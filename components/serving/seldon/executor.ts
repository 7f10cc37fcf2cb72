/** Seldon's executor, its container in the pods of graphs, which walks the graph. */
import type { Resources } from "../../../config/fields";

/** What it needs to pass requests on. */
export const executorResources: Resources = { cpu: "50m", memory: "64Mi", memoryLimit: "256Mi" };

/** Says what a pod of a Job is there for. */
export const roleLabel = "app.kubernetes.io/component";

/** The roles of Jobs beside the models. */
export const jobRoles = { training: "training", answers: "answers", batch: "batch" } as const;

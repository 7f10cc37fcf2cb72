/** The most models of a stack. Pulumi takes 5 s to look at so many, and Kubernetes' tools are made for no more in a namespace. */
export const mostModels = 1_000;

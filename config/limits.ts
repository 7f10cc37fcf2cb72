/** The most models of a stack. `npm run preview` takes 7 s to look at so many on two cores, and Kubernetes' tools are made for no more in a namespace. */
export const mostModels = 1_000;

/** The mark of the tests' stacks on their namespaces. */
export const owner = "0123456789abcdef";

/** The versions of Kubernetes that the platform can be brought up on. */
export const kubernetesVersions = {
  /** Since then every cluster enforces the levels of Pod Security that the namespaces have. */
  oldest: "1.25",
  /** The newest that the platform has been tried on. */
  newest: "1.34",
  /** What a cluster of our own runs. */
  own: "v1.34.0",
} as const;

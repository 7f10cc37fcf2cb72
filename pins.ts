/**
 * Every chart and image that the platform pulls: where it comes from, which version, under which licence, and why
 * this one. Nothing is pinned anywhere else, but for the packages of the lock files.
 */

import { existsSync } from "node:fs";

/** A Helm chart of another project. */
export interface ChartPin {
  /** The chart's name in its repository. */
  readonly name: string;
  /** `oci://…` without the chart's name, or the `https://…` address of a classic repository. */
  readonly repository: string;
  readonly version: string;
  /** The version of what it installs. */
  readonly appVersion: string;
  /** SPDX identifier of the chart's licence. */
  readonly licence: string;
  readonly why: string;
}

/** A container image of another project. */
export interface ImagePin {
  /** Registry and path, in full: `docker.io/library/postgres`. */
  readonly repository: string;
  readonly tag: string;
  /** The digest of the multi-platform index, where it is known. */
  readonly digest?: string;
  /** SPDX identifier of the licence of what it contains. */
  readonly licence: string;
  readonly why: string;
  /** The only architecture that it is published for. @default it runs on every node */
  readonly only?: "amd64";
}

/** The versions of Seldon Core that the platform can install, and the licence of each. */
export const seldonVersions = {
  "1.17.1": { licence: "Apache-2.0" },
  "1.18.2": { licence: "BUSL-1.1" },
  "1.19.0": { licence: "BUSL-1.1" },
} as const;

export type SeldonVersion = keyof typeof seldonVersions;

export const charts = {
  postgres: {
    name: "postgres",
    repository: "oci://registry-1.docker.io/cloudpirates",
    version: "0.20.1",
    appVersion: "18.6.0",
    licence: "Apache-2.0",
    why: "runs the official image, pinned by digest; Bitnami's versioned images are gone (bitnami/containers#83267)",
  },
  minio: {
    name: "minio",
    repository: "oci://registry-1.docker.io/cloudpirates",
    version: "0.13.3",
    appVersion: "2025.10.15",
    licence: "Apache-2.0",
    why: "small, and its image is still served; MinIO's own were removed from Docker Hub in September 2026",
  },
  mlflow: {
    name: "mlflow",
    repository: "https://community-charts.github.io/helm-charts",
    version: "1.11.5",
    appVersion: "3.15.1",
    licence: "MIT",
    why: "released regularly, takes its credentials from Secrets; the official chart is not republished (mlflow#26040)",
  },
} as const satisfies Record<string, ChartPin>;

/** Its chart, whose objects have the same names whatever the release is called. */
export const seldonChartName = "seldon-core-operator";

/** The chart of Seldon's operator; chart and images of a version carry the same number. */
export function seldonChart(version: SeldonVersion): ChartPin {
  return {
    name: seldonChartName,
    repository: "https://storage.googleapis.com/seldon-charts",
    version,
    appVersion: version,
    licence: seldonVersions[version].licence,
    why: "1.17.1 is the last release under Apache-2.0; later ones need a licence for production",
  };
}

export const images = {
  postgres: {
    repository: "docker.io/library/postgres",
    tag: "18.6",
    digest: "sha256:06cad38a5d9f5d24b4d83d86def30795d5e4b757fedbf5281172b576dedcd941",
    licence: "PostgreSQL",
    why: "the chart's own; a major version is never skipped, since nothing runs pg_upgrade",
  },
  postgresExporter: {
    repository: "quay.io/prometheuscommunity/postgres-exporter",
    tag: "v0.20.1",
    digest: "sha256:ac5ec343104fae0e2d84a27bb8d69b38430a11910c5382cad85d478d2bab713e",
    licence: "Apache-2.0",
    why: "the chart's own; pulled where monitoring is enabled",
  },
  minio: {
    repository: "docker.io/cloudpirates/image-minio",
    tag: "RELEASE.2025-10-15T17-29-55Z-hardened",
    digest: "sha256:8dc02a7e509336c8bbb67962086d691bdcde20a2c9327ed68e5081a681f6dbfc",
    licence: "AGPL-3.0-only",
    why: "the chart's own, with server and mc; the last MinIO release, for development: production takes any S3",
  },
  mlflow: {
    repository: "docker.io/burakince/mlflow",
    tag: "3.15.1",
    licence: "Apache-2.0",
    why: "the chart's own: MLflow with the drivers for Postgres and S3, as a user without rights",
  },
  curl: {
    repository: "docker.io/curlimages/curl",
    tag: "8.17.0",
    licence: "curl",
    why: "asks the API server whether Seldon's webhook answers",
  },
  envoy: {
    repository: "docker.io/envoyproxy/envoy",
    tag: "v1.39.3",
    digest: "sha256:dd85940439de19a0b6ae8419610363ea0ad351d9a994ea007161c206ec1e1865",
    licence: "Apache-2.0",
    why: "splits the requests between predictors; the image with bash, which the distroless one lacks",
  },
  mlserverSklearn: mlserver("sklearn"),
  mlserverXgboost: mlserver("xgboost"),
  mlserverMlflow: mlserver("mlflow"),
  python: {
    repository: "docker.io/library/python",
    tag: "3.12.12-slim-bookworm",
    digest: "sha256:593bd06efe90efa80dc4eee3948be7c0fde4134606dd40d8dd8dbcade98e669c",
    licence: "PSF-2.0",
    why: "the base of the project's own images",
  },
} as const satisfies Record<string, ImagePin>;

/** The images that come with a version of Seldon's operator. */
export function seldonImages(version: SeldonVersion) {
  const { licence } = seldonVersions[version];
  const part = (name: string, why: string): ImagePin => ({
    repository: `docker.io/seldonio/${name}`,
    tag: version,
    licence,
    why,
    // seldon-core#3947
    only: "amd64",
  });
  return {
    operator: part("seldon-core-operator", "turns SeldonDeployments into pods and Services"),
    executor: part("seldon-core-executor", "stands in each model's pod and walks its graph"),
    storageInitializer: part(
      "rclone-storage-initializer",
      "fetches a model's files before its server starts",
    ),
  };
}

function mlserver(runtime: string): ImagePin {
  return {
    repository: "docker.io/seldonio/mlserver",
    tag: `1.7.1-${runtime}`,
    licence: "Apache-2.0",
    // MLServer#2057
    only: "amd64",
    why: "the newest MLServer; the 1.3.5 that Seldon 1.17.1 comes with has libraries of 2023",
  };
}

const versions = Object.keys(seldonVersions) as SeldonVersion[];

/** Every chart, in every version that can be installed. */
export const allCharts: readonly ChartPin[] = [...Object.values(charts), ...versions.map(seldonChart)];

/** Every image, in every version that can be pulled. */
export const allImages: readonly ImagePin[] = [
  ...Object.values(images),
  ...versions.flatMap((version) => Object.values(seldonImages(version))),
];

/** What Jenkins is made of where it takes the place of GitHub's workflows (docs/jenkins.md). No cluster pulls it. */
export const jenkinsImages = {
  controller: {
    repository: "docker.io/jenkins/jenkins",
    tag: "2.568.3-jdk21",
    digest: "sha256:c1e4c349365f6d16d88595b2c5f7e8ff39b8ae1d061f62420bac193b4b9616d0",
    licence: "MIT",
    why: "long-term support; the plugins of deploy/jenkins/controller/plugins.txt go with it",
  },
  agent: {
    repository: "docker.io/jenkins/inbound-agent",
    tag: "3391.va_37fa_a_305d6d-4-jdk21",
    digest: "sha256:c5d50ca09a7de45999983c69e0527499ca667efe00a85cf1ce5ed968b5b21719",
    licence: "MIT",
    why: "Java and Jenkins' agent, which are taken from it",
  },
  node: {
    repository: "docker.io/library/node",
    tag: "22.22.2-bookworm-slim",
    digest: "sha256:9f6d5975c7dca860947d3915877f85607946403fc55349f39b4bc3688448bb6e",
    licence: "MIT",
    why: "Node and npm, which are taken from it: of the same Debian as the Python that they stand beside",
  },
} as const satisfies Record<string, ImagePin>;

/** The chart of what brings stacks up where Argo CD delivers them (docs/argo-cd.md). */
export const operatorChart: ChartPin = {
  name: "pulumi-kubernetes-operator",
  repository: "oci://ghcr.io/pulumi/helm-charts",
  version: "2.9.0",
  appVersion: "2.9.0",
  licence: "Apache-2.0",
  why: "Pulumi's own; from 2.8.0 on a Stack that is removed leaves nothing behind unsaid",
};

/** What it runs the program in. No stack pulls them. */
export const operatorImages = {
  operator: {
    repository: "docker.io/pulumi/pulumi-kubernetes-operator",
    tag: "v2.9.0",
    licence: "Apache-2.0",
    why: "the chart's own",
  },
  workspace: {
    repository: "docker.io/pulumi/pulumi",
    tag: "3.250.0-nonroot",
    licence: "Apache-2.0",
    why: "the engine of tools/go.mod, with Node, as a user without rights",
  },
} as const satisfies Record<string, ImagePin>;

/** What is pinned beside what stacks pull: charts. */
export const otherCharts: readonly ChartPin[] = [operatorChart];

/** What is pinned beside what stacks pull: images. */
export const otherImages: readonly ImagePin[] = [
  ...Object.values(jenkinsImages),
  ...Object.values(operatorImages),
];

/** What MLServer's images of that version have, by the package's name: a model's file depends on it. */
export const mlserverLibraries = { numpy: "1.26.4", "scikit-learn": "1.5.2", xgboost: "2.1.2" } as const;

/** Where charts and images are taken from instead, if not from where they are published. */
export interface Mirror {
  /** A registry, with a path if need be: `registry.example.com/mirror`. Images keep their path and their digest. */
  readonly images?: string | undefined;
  /** `oci://…`, `https://…`, or a folder of charts, unpacked (`postgres/`) or packed (`postgres-0.20.1.tgz`). */
  readonly charts?: string | undefined;
}

/** An image reference in the parts that charts take apart. */
export interface ImageParts {
  readonly registry: string;
  /** The path without the registry. */
  readonly path: string;
  /** The tag, and the digest behind it where there is one: `18.6@sha256:…`. */
  readonly tag: string;
}

/** Where to pull an image from, in parts. */
export function imageParts(pin: ImagePin, mirror: Mirror = {}): ImageParts {
  const slash = pin.repository.indexOf("/");
  return {
    registry: mirror.images ?? pin.repository.slice(0, slash),
    path: pin.repository.slice(slash + 1),
    tag: pin.digest === undefined ? pin.tag : `${pin.tag}@${pin.digest}`,
  };
}

/** Where to pull an image from: the whole reference. */
export function imageReference(pin: ImagePin, mirror: Mirror = {}): string {
  const { registry, path, tag } = imageParts(pin, mirror);
  return `${registry}/${path}:${tag}`;
}

/** Where a Helm release finds its chart, as the arguments of `helm.v3.Release`. */
export function chartSource(pin: ChartPin, mirror: Mirror = {}) {
  const repository = mirror.charts ?? pin.repository;
  if (repository.startsWith("oci://")) return { chart: `${repository}/${pin.name}`, version: pin.version };
  if (/^https?:/.test(repository))
    return { chart: pin.name, version: pin.version, repositoryOpts: { repo: repository } };
  const unpacked = `${repository.replace(/\/$/, "")}/${pin.name}`;
  const packed = `${unpacked}-${pin.version}.tgz`;
  return { chart: existsSync(packed) ? packed : unpacked, version: pin.version };
}

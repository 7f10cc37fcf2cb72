import { casesOf } from "../support/case";
import { builtImage, container, digest, job, model, platform, release } from "../support/resources";

const useVersion = "name a version, or better a digest";

const latestCases = casesOf(
  "no-latest-image",
  [
    {
      name: "containers, first ones too, of a Job",
      resources: [
        job([container({ image: "curlimages/curl:latest" })], {
          initContainers: [container({ image: "registry.example.com:5000/busybox" })],
        }),
      ],
      messages: [
        "spec.template.spec.initContainers[0].image is registry.example.com:5000/busybox, " +
          `which has neither tag nor digest: ${useVersion}`,
        `spec.template.spec.containers[0].image is curlimages/curl:latest, which has the tag latest: ${useVersion}`,
      ],
    },
    {
      name: "a model's container",
      resources: [
        model({ componentSpecs: [{ spec: { containers: [container({ image: "house-price" })] } }] }),
      ],
      messages: [
        "spec.predictors[0].componentSpecs[0].spec.containers[0].image is house-price, " +
          `which has neither tag nor digest: ${useVersion}`,
      ],
    },
    {
      name: "images in the values of charts, whole and in parts",
      resources: [
        release("mlflow", {
          image: { repository: "burakince/mlflow", tag: "latest" },
          initImages: { dbchecker: { repository: "busybox" } },
        }),
        release("seldon-core-operator", {
          storageInitializer: { image: "seldonio/rclone-storage-initializer" },
          predictor_servers: {
            A: { protocols: { v2: { image: "seldonio/mlserver", defaultImageVersion: "latest" } } },
            B: { protocols: { v2: { defaultImageVersion: "latest" } } },
          },
        }),
      ],
      messages: [
        `values.image is burakince/mlflow:latest, which has the tag latest: ${useVersion}`,
        `values.initImages.dbchecker is busybox, which has neither tag nor digest: ${useVersion}`,
        "values.storageInitializer.image is seldonio/rclone-storage-initializer, " +
          `which has neither tag nor digest: ${useVersion}`,
        "values.predictor_servers.A.protocols.v2.image is seldonio/mlserver:latest, " +
          `which has the tag latest: ${useVersion}`,
        "values.predictor_servers.B.protocols.v2.defaultImageVersion is :latest, " +
          `which has the tag latest: ${useVersion}`,
      ],
    },
    {
      name: "the name of a built image",
      resources: [builtImage("house-price-serve:latest")],
      messages: [`imageName is house-price-serve:latest, which has the tag latest: ${useVersion}`],
    },
  ],
  [
    {
      name: "tags, digests and what is not known yet",
      resources: [
        job([
          container({ image: `a:latest@${digest}` }),
          container({ image: "localhost:5000/a:1" }),
          container({ image: "[unknown until deployed]" }),
        ]),
        release("mlflow", {
          image: { repository: "burakince/mlflow", tag: "[unknown until deployed]" },
          imagePullPolicy: "Always",
          git: { repository: "https://example.com/a.git" },
        }),
        builtImage("house-price-serve:0123456789ab"),
      ],
    },
  ],
);

const listIt = "which pins.ts does not list: add it there, with its licence and the reason";
const postgresDigest = "sha256:06cad38a5d9f5d24b4d83d86def30795d5e4b757fedbf5281172b576dedcd941";

const listCases = casesOf(
  "images-from-list",
  [
    {
      name: "another image",
      resources: [
        job([container({ image: "bitnami/kubectl:1.34.4" })]),
        release("mlflow", { image: { registry: "ghcr.io", repository: "mlflow/mlflow", tag: "v3.15.1" } }),
        release("seldon-core-operator", {
          predictor_servers: { A: { protocols: { v2: { defaultImageVersion: "1.3.5-sklearn" } } } },
        }),
      ],
      messages: [
        `spec.template.spec.containers[0].image is bitnami/kubectl:1.34.4, ${listIt}`,
        `values.image is ghcr.io/mlflow/mlflow:v3.15.1, ${listIt}`,
        `values.predictor_servers.A.protocols.v2.defaultImageVersion is :1.3.5-sklearn, ${listIt}`,
      ],
    },
    {
      name: "another version, another digest, and none where one is known",
      resources: [
        job([container({ image: "curlimages/curl:8.15.0" })]),
        release("postgres", {
          image: { registry: "docker.io", repository: "postgres", tag: `18.6@${digest}` },
        }),
        release("minio", {
          image: { repository: "cloudpirates/image-minio", tag: "RELEASE.2025-10-15T17-29-55Z-hardened" },
        }),
      ],
      messages: [
        "spec.template.spec.containers[0].image is curlimages/curl:8.15.0, of which pins.ts lists 8.17.0: " +
          "take that, or change the list",
        `values.image is docker.io/postgres:18.6@${digest}, of which pins.ts lists 18.6@${postgresDigest}: ` +
          "take that, or change the list",
        "values.image is cloudpirates/image-minio:RELEASE.2025-10-15T17-29-55Z-hardened, of which pins.ts lists " +
          "RELEASE.2025-10-15T17-29-55Z-hardened@sha256:8dc02a7e509336c8bbb67962086d691bdcde20a2c9327ed68e5081a681f6dbfc: " +
          "take that, or change the list",
      ],
    },
    {
      name: "an image of a mirror that nobody configured",
      resources: [job([container({ image: "registry.example.com/mirror/curlimages/curl:8.17.0" })])],
      messages: [
        "spec.template.spec.containers[0].image is registry.example.com/mirror/curlimages/curl:8.17.0, " +
          listIt,
      ],
    },
  ],
  [
    {
      name: "images of the list, however they are written",
      resources: [
        job([container(), container({ image: "curlimages/curl:8.17.0" })]),
        release("postgres", {
          image: { registry: "docker.io", repository: "library/postgres", tag: `18.6@${postgresDigest}` },
        }),
        release("seldon-core-operator", {
          image: { registry: "docker.io", repository: "seldonio/seldon-core-operator", tag: "1.17.1" },
          predictor_servers: {
            A: { protocols: { v2: { image: "seldonio/mlserver", defaultImageVersion: "1.7.1-sklearn" } } },
            B: { protocols: { v2: { defaultImageVersion: "1.7.1-xgboost" } } },
          },
        }),
      ],
    },
    {
      name: "images of a configured mirror",
      resources: [
        platform({ mirror: { images: "registry.example.com/mirror" } }),
        job([container({ image: "registry.example.com/mirror/curlimages/curl:8.17.0" })]),
        release("mlflow", {
          image: { repository: "registry.example.com/mirror/burakince/mlflow", tag: "3.15.1" },
        }),
      ],
    },
    {
      name: "images that are built here, or named by the configuration",
      resources: [
        platform({
          images: {
            registry: "registry.example.com/team",
            prebuilt: { "house-price-train": "ghcr.io/team/train:1" },
          },
          models: [{ image: "ghcr.io/team/wine:2", training: { image: "ghcr.io/team/wine-train:2" } }],
        }),
        builtImage("house-price-serve:0123456789ab"),
        job([
          container({ image: `house-price-serve@${digest}` }),
          container({ image: `registry.example.com/team/other@${digest}` }),
          container({ image: "ghcr.io/team/train:1" }),
          container({ image: "ghcr.io/team/wine:2" }),
          container({ image: "ghcr.io/team/wine-train:2" }),
        ]),
      ],
    },
  ],
);

const chartCases = casesOf(
  "charts-from-list",
  [
    {
      name: "another chart, another version, no version, values in files",
      resources: [
        release("postgres", {}, { props: { chart: "postgresql", version: "18.0.0" } }),
        release("postgres", {}, { props: { chart: "./charts/postgres/", version: "0.19.0" } }),
        release("minio", {}, { props: { chart: "oci://a/minio", valueYamlFiles: [{ path: "a.yaml" }] } }),
      ],
      messages: [
        "chart postgresql is not listed in pins.ts: add it there, with its images, its licence and the reason",
        "version is 0.19.0, but pins.ts lists 0.20.1 of chart postgres: take that, or change the list",
        "version is missing, but pins.ts lists 0.13.3 of chart minio: take that, or change the list",
        "valueYamlFiles hides values from every other rule: pass them as values",
      ],
    },
  ],
  [
    {
      name: "charts of the list, from a repository, a folder or a file",
      resources: [
        release("postgres", {}),
        release("mlflow", {}, { props: { chart: "mlflow", version: "1.11.5" } }),
        release("minio", {}, { props: { chart: "../charts/minio-0.13.3.tgz", version: "0.13.3" } }),
        release(
          "seldon-core-operator",
          {},
          { props: { chart: "/srv/charts/seldon-core-operator", version: "1.18.2" } },
        ),
      ],
    },
  ],
);

export const imageCases = [...latestCases, ...listCases, ...chartCases];

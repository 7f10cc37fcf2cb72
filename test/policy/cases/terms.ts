import { casesOf } from "../support/case";
import { namespace, release, resource } from "../support/resources";

const password = (protect: boolean) =>
  resource("random:index/randomPassword:RandomPassword", { length: 32 }, { protect });
const claim = (protect: boolean) =>
  resource(
    "kubernetes:core/v1:PersistentVolumeClaim",
    { metadata: { name: "data", namespace: "claims" } },
    { protect },
  );
const unprotected = (what: string, environment: string) =>
  `option protect is not set on ${what}, in ${environment}: set it to true, so that nothing deletes or replaces it`;

const dataCases = casesOf(
  "protected-data",
  ["staging", "prod"].map((environment) => ({
    name: `what holds data, in ${environment}`,
    environment,
    resources: [
      release("postgres", {}),
      release("minio", {}, { protect: true }),
      release("mlflow", {}),
      password(false),
      claim(false),
      namespace("postgres"),
      namespace("minio"),
      namespace("claims"),
      namespace("mlflow"),
    ],
    messages: [
      "a release of chart postgres, which holds data",
      "a password, which the data cannot be read without",
      "a volume claim, which holds data",
      "a namespace, with which the data in it would be deleted",
      "a namespace, with which the data in it would be deleted",
      "a namespace, with which the data in it would be deleted",
    ].map((what) => unprotected(what, environment)),
  })),
  [
    {
      name: "data in dev",
      environment: "dev",
      resources: [release("postgres", {}), password(false), claim(false)],
    },
    {
      name: "data that is protected",
      environment: "prod",
      resources: [
        release("postgres", {}, { protect: true }),
        password(true),
        claim(true),
        namespace("postgres", "restricted", { protect: true }),
        namespace("claims", "restricted", { protect: true }),
        namespace("mlflow"),
      ],
    },
  ],
);

const operator = (inputs: Record<string, unknown>) =>
  resource("mlplatform:serving:ServingOperator", inputs, { name: "serving" });
const operatorRelease = (version: string, values = {}) =>
  release("seldon-core-operator", {}, { props: { chart: "seldon-core-operator", version, values } });
const forbids = (version: string) =>
  `version ${version} of Seldon Core is under BUSL-1.1, which forbids production without a licence of Seldon's: ` +
  "set serving.licenceAcknowledged to true if you have one or need none, or take 1.17.1";

const licenceCases = casesOf(
  "licence-acknowledged",
  [
    {
      name: "versions under the Business Source License that nobody acknowledged",
      resources: [
        operator({ version: "1.18.2", licence: "BUSL-1.1", licenceAcknowledged: false }),
        operator({ version: "1.20.0", licence: "BUSL-1.1" }),
      ],
      messages: [forbids("1.18.2"), forbids("1.20.0")],
    },
    {
      name: "another licence than the version has",
      resources: [operator({ version: "1.19.0", licence: "Apache-2.0", licenceAcknowledged: true })],
      messages: ["licence is Apache-2.0, but version 1.19.0 of Seldon Core is under BUSL-1.1: say so"],
    },
    {
      name: "a release of which no component tells",
      resources: [operatorRelease("1.18.2")],
      messages: [
        "version 1.18.2 of Seldon Core is under BUSL-1.1: install it through ServingOperator, " +
          "which takes licenceAcknowledged",
      ],
    },
  ],
  [
    {
      name: "a version under Apache-2.0",
      resources: [operator({ version: "1.17.1", licence: "Apache-2.0" }), operatorRelease("1.17.1")],
    },
    {
      name: "a version under the Business Source License, acknowledged",
      resources: [
        operator({ version: "1.18.2", licence: "BUSL-1.1", licenceAcknowledged: true }),
        operatorRelease("1.18.2"),
      ],
    },
  ],
);

const telemetryCases = casesOf(
  "no-telemetry",
  [
    {
      name: "metrics of use, on or left to the chart",
      resources: [operatorRelease("1.17.1", { usageMetrics: { enabled: true } }), operatorRelease("1.17.1")],
      messages: [
        "values.usageMetrics.enabled is true: set it to false",
        "values.usageMetrics.enabled is left to the chart: set it to false",
      ],
    },
  ],
  [
    {
      name: "metrics of use that are off",
      resources: [operatorRelease("1.17.1", { usageMetrics: { enabled: false } }), release("postgres", {})],
    },
  ],
);

const role = (kind: string, rules: readonly unknown[]) =>
  resource(`kubernetes:rbac.authorization.k8s.io/v1:${kind}`, { rules });

const roleCases = casesOf(
  "no-wildcard-role",
  [
    {
      name: "roles for everything",
      resources: [
        role("ClusterRole", [
          { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
          { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
        ]),
        role("Role", [{ apiGroups: [""], resources: ["secrets"], verbs: ["*"] }]),
      ],
      messages: [
        'rules[1].apiGroups is "*", which is everything: name what is needed',
        'rules[1].resources is "*", which is everything: name what is needed',
        'rules[1].verbs is "*", which is everything: name what is needed',
        'rules[0].verbs is "*", which is everything: name what is needed',
      ],
    },
  ],
  [
    {
      name: "a role for one thing",
      resources: [role("Role", [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }])],
    },
  ],
);

export const termCases = [...dataCases, ...licenceCases, ...telemetryCases, ...roleCases];

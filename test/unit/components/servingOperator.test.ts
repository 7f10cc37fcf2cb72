import { expect } from "chai";

import {
  ServingOperator,
  type ServingOperatorArgs,
} from "../../../components/serving/seldon/servingOperator";
import { at, create, type Created, environment, jobContainer, without } from "./support/created";
import { asUser, installed, ownership, withoutRights } from "./support/surroundings";

function operator(args: Partial<ServingOperatorArgs> = {}): Promise<Created> {
  return create(() => {
    const { version } = new ServingOperator("it", {
      namespace: "s",
      version: "1.17.1",
      licenceAcknowledged: false,
      certificate: "chart",
      certificateSerial: 1,
      ...args,
    });
    return { version };
  });
}

function values(created: Created, ...path: string[]): unknown {
  return at(created.inputs("Release"), "values", ...path);
}

const metadata = { name: "seldon-webhook-check", namespace: "s", labels: ownership };

describe("ServingOperator", () => {
  let created: Created;
  before(async () => {
    created = await operator();
  });

  it("creates a release, and a Job with rights of its own", () => {
    expect(created.list).to.deep.equal([
      "Job it-check",
      "Release it-release",
      "Role it-check-role",
      "RoleBinding it-check-binding",
      "ServiceAccount it-check-account",
      "ServingOperator it",
    ]);
  });

  it("installs the chart of its version under a fixed name, and waits for it", () => {
    expect(without(created.inputs("Release"), "values")).to.deep.equal({
      ...installed,
      chart: "seldon-core-operator",
      repositoryOpts: { repo: "https://storage.googleapis.com/seldon-charts" },
      version: "1.17.1",
      name: "seldon-core-operator",
      namespace: "s",
    });
    expect(created.one("Release").options).to.deep.equal({ deleteBeforeReplace: true });
  });

  it("tells the chart these values and no other: nothing reports to Seldon, and MLServer is a current one", () => {
    const mlserver = (runtime: string) => ({
      protocols: { v2: { image: "docker.io/seldonio/mlserver", defaultImageVersion: `1.7.1-${runtime}` } },
    });
    const image = (name: string) => ({
      registry: "docker.io",
      repository: `seldonio/${name}`,
      tag: "1.17.1",
    });
    const { annotations, ...manager } = values(created, "manager") as Record<string, unknown>;
    expect(Object.keys(annotations as object)).to.deep.equal(["mlplatform/revision"]);
    expect({ ...(values(created) as object), manager }).to.deep.equal({
      usageMetrics: { enabled: false },
      image: image("seldon-core-operator"),
      manager: {
        cpuRequest: "50m",
        memoryRequest: "128Mi",
        memoryLimit: "300Mi",
      },
      executor: {
        image: image("seldon-core-executor"),
        resources: { cpuRequest: "50m", cpuLimit: "500m", memoryRequest: "64Mi", memoryLimit: "256Mi" },
      },
      storageInitializer: {
        image: "docker.io/seldonio/rclone-storage-initializer:1.17.1",
        cpuRequest: "50m",
        memoryRequest: "64Mi",
      },
      predictor_servers: {
        SKLEARN_SERVER: mlserver("sklearn"),
        XGBOOST_SERVER: mlserver("xgboost"),
        MLFLOW_SERVER: mlserver("mlflow"),
      },
      certManager: { enabled: false },
      crd: { annotations: {} },
      istio: { enabled: false },
    });
  });

  it("takes every image from the mirror where there is one", async () => {
    const mirrored = await operator({
      mirror: { images: "mirror.example.com/all", charts: "https://charts.example.com" },
    });
    expect(JSON.stringify(values(mirrored))).not.to.include("docker.io");
    expect(values(mirrored, "image", "registry")).to.equal("mirror.example.com/all");
    expect(values(mirrored, "executor", "image", "registry")).to.equal("mirror.example.com/all");
    expect(mirrored.inputs("Release")["repositoryOpts"]).to.deep.equal({
      repo: "https://charts.example.com",
    });
    expect(at(jobContainer(mirrored.inputs("Job")), "image")).to.equal(
      "mirror.example.com/all/curlimages/curl:8.17.0",
    );
  });

  it("keeps the definition of SeldonDeployments only where that is asked for", async () => {
    const kept = await operator({ keepDefinitions: true });
    expect(values(kept, "crd")).to.deep.equal({ annotations: { "helm.sh/resource-policy": "keep" } });
  });

  it("leaves the certificate to cert-manager where that is asked for", async () => {
    expect(values(await operator({ certificate: "cert-manager" }), "certManager")).to.deep.equal({
      enabled: true,
    });
  });

  it("has a new pod and a new check whenever the chart makes a new certificate: with each change of its values", async () => {
    const revisions = await Promise.all(
      [{}, {}, { certificateSerial: 2 }, { values: { hostNetwork: true } }].map(async (args) => {
        const one = await operator(args);
        const revision = at(values(one, "manager", "annotations"), "mlplatform/revision");
        expect(environment(jobContainer(one.inputs("Job")))["REVISION"]).to.equal(revision);
        return revision;
      }),
    );
    expect(revisions[0])
      .to.match(/^[0-9a-f]{12}$/)
      .and.to.equal(revisions[1]);
    expect(new Set(revisions)).to.have.length(3);
  });

  it("splits traffic by the Istio gateway that is named", async () => {
    expect(values(await operator({ istioGateway: "istio-system/gate" }), "istio")).to.deep.equal({
      enabled: true,
      gateway: "istio-system/gate",
    });
  });

  it("merges the values that are given over its own, last", async () => {
    const given = await operator({
      values: { executor: { resources: { cpuLimit: "2" } }, defaultUserID: "1" },
    });
    expect(values(given, "executor", "resources")).to.deep.equal({
      cpuRequest: "50m",
      cpuLimit: "2",
      memoryRequest: "64Mi",
      memoryLimit: "256Mi",
    });
    expect(values(given, "executor", "image")).to.deep.equal(values(created, "executor", "image"));
    expect(values(given, "defaultUserID")).to.equal("1");
  });
});

describe("the licence of ServingOperator", () => {
  it("is registered with version and consent, where a policy finds it", async () => {
    expect((await operator()).inputs("ServingOperator")).to.deep.equal({
      version: "1.17.1",
      licence: "Apache-2.0",
      licenceAcknowledged: false,
    });
    const later = await operator({ version: "1.19.0", licenceAcknowledged: true });
    expect(later.inputs("ServingOperator")).to.deep.equal({
      version: "1.19.0",
      licence: "BUSL-1.1",
      licenceAcknowledged: true,
    });
    expect(later.outputs).to.deep.equal({ version: "1.19.0" });
  });

  it("is not mentioned where there is nothing to mind", async () => {
    expect((await operator()).notices).to.deep.equal([]);
  });

  for (const version of ["1.18.2", "1.19.0"] as const) {
    it(`is warned of for ${version}, also by those who have acknowledged it`, async () => {
      const created = await operator({ version, licenceAcknowledged: true });
      expect(created.notices).to.deep.equal([
        {
          severity: "warning",
          message:
            `Seldon Core ${version} is under BUSL-1.1: production use needs a licence from Seldon, except for ` +
            "non-profit education. 1.17.1 is the last version under Apache-2.0.",
          urn: created.one("ServingOperator").urn,
        },
      ]);
      expect(created.inputs("Release")["version"]).to.equal(version);
      expect(at(created.inputs("Release"), "values", "image", "tag")).to.equal(version);
    });
  }
});

describe("the check of ServingOperator's webhook", () => {
  let created: Created;
  before(async () => {
    created = await operator();
  });

  it("runs after the release, with its rights", () => {
    expect(created.dependencies("Job")).to.deep.equal([
      "Release it-release",
      "RoleBinding it-check-binding",
      "ServiceAccount it-check-account",
    ]);
  });

  it("may make SeldonDeployments in its own namespace, and do nothing else", () => {
    expect(created.inputs("Role")).to.deep.equal({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: ["machinelearning.seldon.io"], resources: ["seldondeployments"], verbs: ["create"] },
      ],
    });
    expect(created.inputs("RoleBinding")).to.deep.equal({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "seldon-webhook-check" },
      subjects: [{ kind: "ServiceAccount", name: "seldon-webhook-check", namespace: "s" }],
    });
    expect(created.inputs("ServiceAccount")).to.deep.equal({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata,
      automountServiceAccountToken: false,
    });
  });

  it("has the token in its own pod alone, as a user without rights", () => {
    const pod = at(created.inputs("Job"), "spec", "template", "spec");
    expect(at(pod, "serviceAccountName")).to.equal("seldon-webhook-check");
    expect(at(pod, "automountServiceAccountToken")).to.equal(true);
    expect(at(pod, "securityContext")).to.deep.equal(asUser(100));
    expect(at(pod, "containers", 0, "securityContext")).to.deep.equal(withoutRights);
  });

  it("offers a SeldonDeployment as a trial, which leaves nothing behind", () => {
    const { URL, TRIAL, ...rest } = environment(jobContainer(created.inputs("Job")));
    expect(URL).to.equal(
      "https://kubernetes.default.svc/apis/machinelearning.seldon.io/v1/namespaces/s/seldondeployments?dryRun=All",
    );
    expect(JSON.parse(String(TRIAL))).to.deep.equal({
      apiVersion: "machinelearning.seldon.io/v1",
      kind: "SeldonDeployment",
      metadata: { name: "webhook-check" },
      spec: {
        predictors: [
          {
            name: "default",
            graph: { name: "model", type: "MODEL" },
            componentSpecs: [{ spec: { containers: [{ name: "model", image: "none:1" }] } }],
          },
        ],
      },
    });
    expect(Object.keys(rest)).to.deep.equal(["REVISION"]);
  });

  it("tries again until the API server accepts it, and trusts no other server", () => {
    const container = jobContainer(created.inputs("Job"));
    expect(at(container, "image")).to.equal("docker.io/curlimages/curl:8.17.0");
    const [shell, option, script = ""] = at(container, "command") as string[];
    expect([shell, option]).to.deep.equal(["/bin/sh", "-c"]);
    for (const part of [
      ...["--fail-with-body", "--retry 100", "--retry-delay 1", "--retry-all-errors", "--max-time 10"],
      ...["--cacert ca.crt", 'Bearer $(cat token)"', '--data "$TRIAL" "$URL"'],
    ])
      expect(script).to.include(part);
    expect(script).not.to.match(/--insecure| -k\b/);
    expect(at(created.inputs("Job"), "spec", "activeDeadlineSeconds")).to.equal(600);
  });
});

import { expect } from "chai";

import {
  PlatformNamespaces,
  type PlatformNamespacesArgs,
} from "../../../components/namespaces/platformNamespaces";
import { namespacesByRole } from "../../../components/capabilities";
import { networkPolicies } from "../../../components/namespaces/policies";
import { load, stackConfig } from "../config/support";
import { at, consume, create, type Created } from "./support/created";
import { ownership } from "./support/surroundings";

const keys = "{ accessKeyId: me, secretAccessKey: { secure: v1:x:x } }";
const users = `{ tracking: ${keys}, serving: ${keys}, training: ${keys} }`;
/** A model that is trained on data from the web. */
const trainedOn = (data: string) =>
  `{ name: of-${new URL(data).host.replaceAll(/[.:]/g, "-")}, image: "a.example.com/serve:1", ` +
  `training: { image: "a.example.com/train:1", data: "${data}" } }`;

/** The namespaces of a configuration, by what it has beside a context. */
async function namespaces(args: Partial<PlatformNamespacesArgs> = {}, config = ""): Promise<Created> {
  const policies = networkPolicies(
    namespacesByRole,
    await load(stackConfig(`mlplatform:context: it\n${config}`)),
  );
  return create(() => {
    const { names } = new PlatformNamespaces("it", { podSecurityVersion: "v1.34", policies, ...args });
    consume("in-tracking", names.tracking);
    return { names };
  });
}

function manifest(name: string, level: string, version: string) {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: {
        ...ownership,
        "pod-security.kubernetes.io/audit": level,
        "pod-security.kubernetes.io/audit-version": version,
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/enforce-version": version,
        "pod-security.kubernetes.io/warn": level,
        "pod-security.kubernetes.io/warn-version": version,
      },
    },
  };
}

/** All that the network policies let through, a line for each peer. It throws where it does not know a shape. */
function flows(created: Created): string[] {
  return created.all("NetworkPolicy").flatMap(({ inputs }) => {
    const spec = inputs["spec"] as Record<string, unknown>;
    const { podSelector, policyTypes, ingress = [], egress = [], ...unknown } = spec;
    if (Object.keys(unknown).length > 0) throw new Error(`Unknown: ${JSON.stringify(unknown)}`);
    const types = [...(spec["ingress"] ? ["Ingress"] : []), ...(spec["egress"] ? ["Egress"] : [])];
    const name = String(at(inputs, "metadata", "name"));
    if (name !== "default-deny") expect(policyTypes).to.deep.equal(types);
    const pods = Object.keys(podSelector as object).length === 0 ? "" : ` (${JSON.stringify(podSelector)})`;
    const line = (direction: string, peerKey: string) => (rule: unknown) =>
      (at(rule, peerKey) as unknown[]).map(
        (peer) =>
          `${String(at(inputs, "metadata", "namespace"))} ${name}${pods}: ` +
          `${direction} ${peerName(peer)} ${portsOf(rule)}`,
      );
    return [
      ...(ingress as unknown[]).flatMap(line("from", "from")),
      ...(egress as unknown[]).flatMap(line("to", "to")),
    ];
  });
}

/** Pods of the Jobs that ask MLflow; those that serve do not. */
const jobs =
  '{"matchExpressions":[{"key":"app.kubernetes.io/component","operator":"In","values":["training","answers","batch"]}]}';

function peerName(peer: unknown): string {
  const text = JSON.stringify(peer);
  if (text === '{"podSelector":{}}') return "itself";
  if (text === '{"namespaceSelector":{}}') return "every namespace";
  const { podSelector, namespaceSelector } = peer as Readonly<Record<string, object>>;
  if (podSelector !== undefined && namespaceSelector !== undefined)
    return `${JSON.stringify(podSelector)} of ${peerName({ namespaceSelector })}`;
  const namespace = /^{"namespaceSelector":{"matchLabels":{"kubernetes.io\/metadata.name":"([^"]+)"}}}$/;
  return namespace.exec(text)?.[1] ?? JSON.stringify(at(peer, "ipBlock"));
}

function portsOf(rule: unknown): string {
  const ports = at(rule, "ports") as { protocol: string; port: number }[];
  if (ports.length === 0) throw new Error("A rule without ports opens all of them.");
  return ports.map(({ protocol, port }) => `${protocol}/${port}`).join(" ");
}

/** The flow to or from every address, of both versions of the protocol. */
function anywhere(flow: (address: string) => string): string[] {
  return ['{"cidr":"0.0.0.0/0"}', '{"cidr":"::/0"}'].map(flow);
}

describe("PlatformNamespaces", () => {
  let created: Created;
  before(async () => {
    created = await namespaces();
  });

  /** What a setting adds to the flows and takes from them. */
  async function change(config: string): Promise<{ added: string[]; removed: string[] }> {
    const [before, after] = [flows(created), flows(await namespaces({}, config))];
    return {
      added: after.filter((line) => !before.includes(line)),
      removed: before.filter((line) => !after.includes(line)),
    };
  }

  it("labels each namespace with its owner and its Pod Security level", () => {
    expect(created.all("Namespace").map(({ inputs }) => inputs)).to.deep.equal([
      manifest("fe", "restricted", "v1.34"),
      manifest("minio-system", "restricted", "v1.34"),
      manifest("ml-models", "baseline", "v1.34"),
      manifest("mlflow", "restricted", "v1.34"),
      manifest("postgres", "restricted", "v1.34"),
      manifest("seldon-system", "baseline", "v1.34"),
    ]);
  });

  it("takes another version of the Pod Security Standards", async () => {
    const other = await namespaces({ podSecurityVersion: "latest" });
    expect(other.inputs("Namespace", "it-fe")).to.deep.equal(manifest("fe", "restricted", "latest"));
  });

  it("is the parent of its namespaces and their policies", () => {
    const own = [...created.all("Namespace"), ...created.all("NetworkPolicy")];
    expect([...new Set(own.map(({ parent }) => parent))]).to.deep.equal([
      "urn:pulumi:test::mlplatform::mlplatform:namespaces:PlatformNamespaces::it",
    ]);
  });

  it("names the namespaces by what runs in them", () => {
    expect(created.outputs).to.deep.equal({
      names: {
        database: "postgres",
        objectStore: "minio-system",
        tracking: "mlflow",
        servingOperator: "seldon-system",
        models: "ml-models",
        frontend: "fe",
      },
    });
  });

  it("gives a name to those alone who wait for the namespace and all of its policies", () => {
    expect(created.dependencies("ConfigMap", "in-tracking")).to.deep.equal([
      "Namespace it-mlflow",
      "NetworkPolicy it-mlflow-default-deny",
      "NetworkPolicy it-mlflow-from-clients",
      "NetworkPolicy it-mlflow-to-platform",
    ]);
  });

  it("protects and keeps the namespaces that hold data where that is asked for, and no other", async () => {
    const data = ["it-minio-system", "it-postgres"];
    for (const { name, options } of (await namespaces({ protectData: true })).all("Namespace"))
      expect(options, name).to.deep.equal(data.includes(name) ? { protect: true, retainOnDelete: true } : {});
    for (const { name, options } of created.all("Namespace")) expect(options, name).to.deep.equal({});
  });

  it("denies everything in each namespace but questions for addresses", () => {
    const denials = created.all("NetworkPolicy").filter(({ name }) => name.endsWith("-default-deny"));
    expect(denials.map(({ inputs }) => at(inputs, "metadata", "namespace"))).to.deep.equal([
      ...["fe", "minio-system", "ml-models", "mlflow", "postgres", "seldon-system"],
    ]);
    for (const { inputs } of denials) {
      expect(at(inputs, "metadata", "labels")).to.deep.equal(ownership);
      expect(inputs["spec"]).to.deep.equal({
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        egress: [
          {
            to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
            ports: [
              { protocol: "UDP", port: 53 },
              { protocol: "TCP", port: 53 },
            ],
          },
        ],
      });
    }
  });

  it("lets through what the platform needs, and nothing more", () => {
    expect(flows(created).filter((line) => !line.includes("default-deny"))).to.deep.equal([
      "fe to-platform: to ml-models TCP/8000 TCP/5001 TCP/9000 TCP/9500",
      "minio-system from-clients: from itself TCP/9000",
      "minio-system from-clients: from mlflow TCP/9000",
      "minio-system from-clients: from ml-models TCP/9000",
      "minio-system to-platform: to itself TCP/9000",
      ...anywhere((address) => `ml-models from-clients: from ${address} TCP/8000 TCP/5001 TCP/9000 TCP/9500`),
      "ml-models from-clients: from every namespace TCP/8000 TCP/5001 TCP/9000 TCP/9500",
      `ml-models jobs-to-platform (${jobs}): to mlflow TCP/5000`,
      "ml-models to-platform: to minio-system TCP/9000",
      `mlflow from-clients: from ${jobs} of ml-models TCP/5000`,
      "mlflow to-platform: to postgres TCP/5432",
      "mlflow to-platform: to minio-system TCP/9000",
      "postgres from-clients: from mlflow TCP/5432",
      ...anywhere((address) => `seldon-system to-api-server: to ${address} TCP/443 TCP/6443 TCP/8443`),
      ...anywhere((address) => `seldon-system webhook: from ${address} TCP/4443`),
    ]);
  });

  it("lets the tracking server alone out to a database outside the cluster", async () => {
    expect(
      await change(
        "mlplatform:database: { kind: external, host: db.example.com, port: 6543, username: me, password: { secure: v1:x:x } }",
      ),
    ).to.deep.equal({
      added: anywhere((address) => `mlflow to-platform: to ${address} TCP/6543`),
      removed: ["mlflow to-platform: to postgres TCP/5432"],
    });
  });

  it("lets those who use the store out to one outside the cluster", async () => {
    expect(
      await change(
        `mlplatform:objectStore: { kind: external, endpoint: "https://s3.example.com", users: ${users} }`,
      ),
    ).to.deep.equal({
      added: [
        ...anywhere((address) => `ml-models to-platform: to ${address} TCP/443`),
        ...anywhere((address) => `mlflow to-platform: to ${address} TCP/443`),
      ],
      removed: [
        "ml-models to-platform: to minio-system TCP/9000",
        "mlflow to-platform: to minio-system TCP/9000",
      ],
    });
  });

  it("lets an ingress controller in to the tracking server", async () => {
    expect(
      await change(
        "mlplatform:tracking: { ingress: { host: mlflow.example.com, className: nginx, namespace: ingress-nginx, tlsSecret: tls } }",
      ),
    ).to.deep.equal({
      added: ["mlflow from-ingress: from ingress-nginx TCP/5000"],
      removed: [],
    });
  });

  it("lets Prometheus in to the ports with metrics", async () => {
    expect(await change("mlplatform:monitoring: { enabled: true }")).to.deep.equal({
      added: [
        "minio-system prometheus: from monitoring TCP/9000",
        "ml-models prometheus: from monitoring TCP/6000 TCP/6001 TCP/6002 TCP/6003 TCP/8000 TCP/9902",
        "mlflow prometheus: from monitoring TCP/5000",
        "postgres prometheus: from monitoring TCP/9187",
        "seldon-system prometheus: from monitoring TCP/8080",
      ],
      removed: [],
    });
  });

  it("lets the API server in to the port that the operator's webhook is given", async () => {
    expect(await change("mlplatform:serving: { values: { webhook: { port: 8443 } } }")).to.deep.equal({
      added: anywhere((address) => `seldon-system webhook: from ${address} TCP/8443`),
      removed: anywhere((address) => `seldon-system webhook: from ${address} TCP/4443`),
    });
  });

  it("lets an Istio gateway in to the models", async () => {
    expect(
      await change("mlplatform:serving: { istio: { gateway: istio-system/seldon-gateway } }"),
    ).to.deep.equal({
      added: ["ml-models from-gateway: from istio-system TCP/8000 TCP/5001 TCP/9000 TCP/9500"],
      removed: [],
    });
  });

  it("lets trainings alone out to the web, on the ports of their data", async () => {
    const training = '{"matchLabels":{"app.kubernetes.io/component":"training"}}';
    expect(
      await change(
        `mlplatform:models: [${["https://a.example.com/a.csv", "http://b.example.com:8080/b.csv"].map(trainedOn).join()}]`,
      ),
    ).to.deep.equal({
      added: anywhere((address) => `ml-models training-data (${training}): to ${address} TCP/443 TCP/8080`),
      removed: [],
    });
  });
});

import { expect } from "chai";

import { kindOf, type RecordedResource } from "../../../cli/plan/recording";
import { at, type Created } from "./support/created";
import { platform } from "./support/program";

/** Every reference to a key of a Secret, or to a Secret as a whole, anywhere in a value. */
function references(value: unknown): { name: string; key?: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const { secretKeyRef, envSecretRefName, ...rest } = value as Record<string, unknown>;
  return [
    ...(secretKeyRef === undefined ? [] : [secretKeyRef as { name: string; key: string }]),
    ...(envSecretRefName === undefined ? [] : [{ name: envSecretRefName as string }]),
    ...Object.values(rest).flatMap(references),
  ];
}

function namespaceOf({ inputs }: RecordedResource): unknown {
  return (inputs["metadata"] as { namespace?: string } | undefined)?.namespace;
}

describe("MlPlatform", () => {
  let created: Created;
  before(async () => {
    created = await platform();
  });

  const chains: Record<string, [kind: string, name: string]> = {
    database: ["Release", "mlplatform-database-release"],
    "the store's buckets": ["Job", "mlplatform-object-store-setup"],
    "the tables": ["Job", "mlplatform-tracking-migration"],
    tracking: ["Release", "mlplatform-tracking-release"],
    operator: ["Release", "mlplatform-serving-release"],
    "the operator's webhook": ["Job", "mlplatform-serving-check"],
    "the training's image": ["Image", "mlplatform-images-house-price-train-build"],
    "the model's image": ["Image", "mlplatform-images-house-price-serve-build"],
    training: ["Job", "house-price-training-job"],
    model: ["SeldonDeployment", "house-price-seldon"],
  };
  const expected: Record<string, string[]> = {
    database: [],
    "the store's buckets": [],
    "the tables": ["database"],
    tracking: ["database", "the store's buckets", "the tables"],
    operator: [],
    "the operator's webhook": ["operator"],
    "the training's image": [],
    "the model's image": [],
    training: ["database", "the store's buckets", "the tables", "tracking", "the training's image"],
    model: ["the store's buckets", "operator", "the operator's webhook", "the model's image"],
  };
  for (const [what, needed] of Object.entries(expected)) {
    const after = needed.length === 0 ? "nothing that could run beside it" : needed.join(", ");
    it(`${what}: comes after ${after}`, () => {
      const before = created.before(...(chains[what] ?? ["", ""]));
      const found = Object.entries(chains)
        .filter(([, [kind, name]]) => before.includes(`${kind} ${name}`))
        .map(([part]) => part);
      expect(found).to.have.members(needed);
    });
  }

  it("puts everything into a namespace whose network policies are there", () => {
    const namespaced = created.resources.filter(
      (one) => namespaceOf(one) !== undefined && kindOf(one) !== "NetworkPolicy",
    );
    expect(namespaced).not.to.have.length(0);
    for (const one of namespaced) {
      const place = `mlplatform-namespaces-${String(namespaceOf(one))}`;
      expect(created.before(kindOf(one), one.name), one.name).to.include.members([
        `Namespace ${place}`,
        `NetworkPolicy ${place}-default-deny`,
      ]);
    }
  });

  it("makes every Kubernetes resource by the one provider that knows the cluster", () => {
    const provider = created.one("Provider");
    const kubernetes = created.resources.filter(({ type }) => type.startsWith("kubernetes:"));
    expect(kubernetes).to.have.length.greaterThan(30);
    for (const one of kubernetes) expect(one.provider, one.name).to.equal(`${provider.urn}::cluster-id`);
  });

  it("has its parts under itself, with names that begin with its own or the model's", () => {
    const components = created.resources.filter(({ custom }) => !custom);
    const root = created.one("MlPlatform");
    expect(root.inputs).to.include({ environment: "dev" });
    for (const one of components.filter(({ urn }) => urn !== root.urn))
      expect(one.parent, one.name).to.equal(root.urn);
    const parts = created.resources.filter(
      ({ custom, type }) => custom && type !== "pulumi:providers:kubernetes",
    );
    for (const one of parts) {
      const parent = components.find(({ urn }) => urn === one.parent);
      expect(one.name.startsWith(`${parent?.name ?? "?"}-`), one.name).to.equal(true);
    }
  });

  it("has every password in Secrets alone, and each of them is secret to Pulumi", () => {
    const madeUp = /made-up-[\w-]+-result/;
    for (const one of created.resources) {
      if (!madeUp.test(JSON.stringify(one.inputs))) continue;
      expect(kindOf(one), one.name).to.equal("Secret");
      for (const [key, value] of Object.entries(at(one.inputs, "stringData") as object))
        if (madeUp.test(String(value))) expect(one.secretPaths, one.name).to.include(`stringData.${key}`);
    }
    expect(JSON.stringify(created.outputs)).not.to.match(madeUp);
  });

  it("gives each S3 user's key to its purpose alone", () => {
    const holders = (user: string) =>
      created
        .all("Secret")
        .filter(({ inputs }) => JSON.stringify(inputs).includes(`object-store-${user}-result`))
        .map(({ name }) => name);
    expect(holders("root-password")).to.deep.equal(["mlplatform-object-store-root"]);
    const setUp = "mlplatform-object-store-users";
    expect(holders("tracking-key")).to.have.members([setUp, "mlplatform-tracking-store"]);
    expect(holders("serving-key")).to.have.members([setUp, "mlplatform-models-storage"]);
    expect(holders("training-key")).to.have.members([setUp, "mlplatform-models-training"]);
  });

  it("refers to Secrets that there are, in the same namespace, with the key that is asked for", () => {
    const secrets = new Map(
      created
        .all("Secret")
        .map((one) => [
          `${String(namespaceOf(one))}/${String(at(one.inputs, "metadata", "name"))}`,
          Object.keys(at(one.inputs, "stringData") as object),
        ]),
    );
    const found = created.resources.flatMap((one) =>
      references(one.inputs).map(({ name, key }) => ({ secret: `${String(namespaceOf(one))}/${name}`, key })),
    );
    expect(found).to.have.length.greaterThan(8);
    for (const { secret, key } of found) {
      expect([...secrets.keys()]).to.include(secret);
      if (key !== undefined) expect(secrets.get(secret), secret).to.include(key);
    }
  });

  it("fetches the model's files from the store", () => {
    const [predictor] = at(created.inputs("SeldonDeployment"), "spec", "predictors") as unknown[];
    expect(at(predictor, "graph", "modelUri")).to.match(/^s3:\/\/models\//);
    expect(at(predictor, "graph")).not.to.have.any.keys("implementation");
    expect(at(predictor, "graph", "envSecretRefName")).to.equal("seldon-init-container-secret");
  });

  it("runs the images that it builds", () => {
    const image = (name: string) => created.inputs("Image", name)["imageName"];
    const spec = at(created.inputs("Job", "house-price-training-job"), "spec", "template", "spec");
    expect(at(spec, "containers", 0, "image")).to.equal(image("mlplatform-images-house-price-train-build"));
    const [predictor] = at(created.inputs("SeldonDeployment"), "spec", "predictors") as unknown[];
    expect(at(predictor, "componentSpecs", 0, "spec", "containers", 0, "image")).to.equal(
      image("mlplatform-images-house-price-serve-build"),
    );
  });

  it("tells where everything is, and no secret", () => {
    expect(created.outputs).to.deep.equal({
      namespaces: {
        database: "postgres",
        objectStore: "minio-system",
        tracking: "mlflow",
        servingOperator: "seldon-system",
        models: "ml-models",
        frontend: "fe",
      },
      trackingUri: "http://mlflow.mlflow.svc.cluster.local:5000",
      objectStoreEndpoint: "http://minio.minio-system.svc.cluster.local:9000",
      models: {
        "house-price": {
          url: "http://house-price.ml-models.svc.cluster.local:8000/api/v1.0/predictions",
          predictors: {
            default: "http://house-price-default.ml-models.svc.cluster.local:8000/api/v1.0/predictions",
          },
        },
      },
    });
    expect(created.secretOutputs).to.deep.equal([]);
  });

  it("protects nothing in dev, so that it can be thrown away", () => {
    // An image is no object of the cluster.
    for (const { name, options } of created.resources.filter(({ type }) => !type.startsWith("docker:")))
      expect(options, name).not.to.have.any.keys("protect", "retainOnDelete");
  });
});

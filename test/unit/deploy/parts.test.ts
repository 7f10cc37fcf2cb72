import { expect } from "chai";

import { Parts } from "../../../cli/deploy/parts";
import { planOf } from "../../../cli/plan/plan";
import { isProvider } from "../../../cli/plan/recording";
import { component, database, object, platform, release, tracking } from "./support";

describe("the parts of a stack", () => {
  const mlflow = release("mlflow", "tracking", "mlflow");

  it("are the components that people know, with all that stands below them", () => {
    const inner = component("inner", "mlplatform:other:Helper");
    const parts = new Parts([
      platform,
      { ...tracking, inputs: {} },
      database,
      mlflow,
      { ...inner, parent: "tracking" },
      object("deep", "inner", "Secret", "mlflow"),
    ]);
    const part = { urn: "tracking", title: "MLflow" };
    expect(["mlflow", "deep", "inner", "tracking"].map((urn) => parts.of(urn))).to.deep.equal([
      ...Array<typeof part>(4).fill(part),
    ]);
    expect(parts.of("database")).to.deep.equal({ urn: "database", title: "Postgres" });
    expect(parts.members(part)).to.deep.equal(["mlflow", "deep"]);
    expect(parts.members({ urn: "database", title: "Postgres" })).to.deep.equal([]);
  });

  it("are told apart by what they are for", () => {
    const parts = new Parts([
      component("one", "mlplatform:images:AppImage", { image: "house-price-serve" }),
      component("two", "mlplatform:training:TrainingJob", { model: "house-price" }),
      component("three", "mlplatform:serving:ModelDeployment", { model: "wine-quality" }),
    ]);
    expect(["one", "two", "three"].map((urn) => parts.of(urn)?.title)).to.deep.equal([
      "image house-price-serve",
      "training house-price",
      "model wine-quality",
    ]);
  });

  it("do not hold what stands beside the platform, nor what nobody knows", () => {
    const provider = { urn: "cluster", type: "pulumi:providers:kubernetes", parent: "stack", custom: true };
    const parts = new Parts([platform, provider, object("own", "mlplatform", "Secret", "default")]);
    expect(["mlplatform", "cluster", "own", "unheard-of", ""].map((urn) => parts.of(urn))).to.deep.equal(
      Array<undefined>(5).fill(undefined),
    );
  });

  it("learn of resources later, and keep what they know", () => {
    const parts = new Parts([platform, tracking]);
    expect(parts.of("mlflow")).to.equal(undefined);
    parts.add({ urn: "mlflow", type: mlflow.type, parent: "tracking", custom: true });
    expect(parts.of("mlflow")?.title).to.equal("MLflow");
    parts.add({ urn: "mlflow", type: mlflow.type });
    expect(parts.members({ urn: "tracking", title: "MLflow" })).to.deep.equal(["mlflow"]);
  });

  const titles = [
    ...["MLflow", "MinIO", "Postgres", "Seldon operator", "image house-price-serve"],
    ...["image house-price-train", "model house-price", "model namespace", "namespaces"],
    "training house-price",
  ];
  const more: Readonly<Record<string, readonly string[]>> = {
    dev: ["front end", "image frontend"],
    staging: ["scores nightly-prices"],
  };
  for (const stack of ["dev", "staging", "prod"])
    it(`are those of every resource of the stack ${stack}`, async () => {
      const { recording } = await planOf(stack);
      const parts = new Parts(recording.resources);
      const resources = recording.resources.filter((one) => one.custom && !isProvider(one));
      expect(resources.length).to.be.above(50);
      expect(resources.filter(({ urn }) => parts.of(urn) === undefined)).to.deep.equal([]);
      const found = new Set(resources.map(({ urn }) => parts.of(urn)?.title ?? ""));
      expect([...found].sort()).to.deep.equal([...titles, ...(more[stack] ?? [])].sort());
      const components = recording.resources.filter(
        ({ type, custom }) => !custom && type !== "mlplatform:platform:MlPlatform",
      );
      expect(components.filter(({ urn }) => parts.of(urn)?.urn !== urn)).to.deep.equal([]);
    });
});

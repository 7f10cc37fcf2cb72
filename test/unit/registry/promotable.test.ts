import { expect } from "chai";

import type { Registry } from "../../../cli/registry/decide";
import { promotable, versionsOf } from "../../../cli/registry/promotion/promotable";
import { signatureChange } from "../../../cli/registry/promotion/signature";
import type { PlatformConfig } from "../../../config";
import { rejection } from "../support/rejection";

describe("a model to be promoted", () => {
  const of = (model: object) => {
    const config = { environment: "dev", models: [{ name: "churn", ...model }] } as unknown as PlatformConfig;
    return (name = "churn") => promotable("prod", config, name);
  };

  it("is one whose version an alias decides, that of its training too", () => {
    const { wish, registered, alias } = of({ model: "models:/leaving@prod" })();
    expect([wish, registered, alias]).to.deep.equal(["models:/leaving@prod", "leaving", "prod"]);
    expect(of({ training: {} })()).to.include({ wish: "models:/churn@champion" });
  });

  it("is trained or registered first, and then promoted by its name", async () => {
    const none = {
      mlflow: { registered: () => Promise.resolve(undefined), versionsOf: () => Promise.resolve([]) },
    } as unknown as Registry;
    const { message } = await rejection(versionsOf(none, of({ model: "models:/churn@champion" })()));
    expect(message).to.match(/and then: npm run promote -- churn --stack prod$/);
  });

  for (const [what, model, name, message] of [
    ["misspelt", {}, "chrun", "stack prod has no model chrun; did you mean churn?"],
    ["unknown", {}, "flowers", "stack prod has no model flowers; it has churn"],
    [
      "named by its number",
      { model: "models:/churn/3" },
      undefined,
      "model churn serves models:/churn/3, that version for good. To serve another, write its number there in Pulumi.prod.yaml; " +
        "to have versions promoted, write model: models:/churn@champion.",
    ],
    [
      "named by its files",
      { model: "s3://m/1" },
      undefined,
      "model churn serves s3://m/1, which is no version of the registry. To have versions of it promoted, write " +
        "model: models:/NAME@champion in Pulumi.prod.yaml.",
    ],
    ["in its image", {}, undefined, /^model churn serves what is in its image, which is no version/],
    [
      "named by each of its predictors",
      { model: "models:/churn@champion", predictors: [{ name: "a", model: "models:/churn/3" }] },
      undefined,
      "each of a of model churn names what it serves in Pulumi.prod.yaml: change it there.",
    ],
  ] as const)
    it(`is not one that is ${what}`, () => {
      expect(() => of(model)(name)).to.throw(message);
    });
});

describe("the signatures of two versions", () => {
  const signature = (inputs: unknown, outputs?: unknown) => ({
    inputs: JSON.stringify(inputs),
    ...(outputs === undefined ? {} : { outputs: JSON.stringify(outputs) }),
  });
  const [a, b] = ["a", "b"].map((name) => ({ name, type: "double", required: true }));

  for (const [what, before, after, state, columns] of [
    [
      "the same, written otherwise",
      signature([{ type: "double", name: "a" }]),
      signature([a]),
      "unchanged",
      [],
    ],
    ["of another order", signature([a, b]), signature([b, a]), "changed", ["columns stand in another order"]],
    [
      "of other columns",
      signature([a]),
      signature([b]),
      "changed",
      ["column a (double) is gone", "column b (double) is new"],
    ],
    [
      "of another need and type",
      signature([a, b]),
      signature([
        { ...a, required: false },
        { ...b, type: "long" },
      ]),
      "changed",
      ["column a: double → double, may be missing", "column b: double → long"],
    ],
    [
      "of other outputs",
      signature([a], [{ type: "tensor", "tensor-spec": { shape: [-1] } }]),
      signature([a], [{ type: "tensor", "tensor-spec": { shape: [-1, 2] } }]),
      "changed",
      ['output number 0: tensor {"tensor-spec":{"shape":[-1]}} → tensor {"tensor-spec":{"shape":[-1,2]}}'],
    ],
    ["not both known", undefined, signature([a]), "unknown", []],
    ["of which one is no list", signature({}), signature("x"), "changed", ["it says something else"]],
  ] as const)
    it(`are compared: ${what}`, () => {
      expect(signatureChange(before, after)).to.deep.include({ state, columns });
    });
});

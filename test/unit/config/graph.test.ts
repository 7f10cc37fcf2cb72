import { expect } from "chai";

import { checkGraph } from "../../../config/graphChecks";
import { partsOf, protocolOf } from "../../../config/graph";
import type { Decision, Decisions } from "../../../config/lock";
import { type ModelConfig, modelSchema } from "../../../config/models";
import { placeOf } from "../../../config/mistakes";
import { readUnit, unitIn } from "../../../config/units";

/** A model with a graph, as a stack's file may have it. */
function modelOf(graph: object): ModelConfig {
  return modelSchema("dev").parse({ name: "it", graph });
}

/** What is decided for models of these signatures. */
function decisionsOf(
  signatures: Readonly<Record<string, readonly [inputs: unknown, outputs?: unknown]>>,
): Decisions {
  const entries = Object.entries(signatures).map(([name, [inputs, outputs]]) => [
    `models:/${name}@champion`,
    {
      signature: { inputs: JSON.stringify(inputs), outputs: outputs && JSON.stringify(outputs) },
    } as Decision,
  ]);
  return Object.fromEntries(entries) as Decisions;
}

const model = (name: string) => ({ name, image: "house-price-serve", model: `models:/${name}@champion` });
const named = (...names: string[]) => names.map((name) => ({ type: "double", name }));
const tensor = (...shape: number[]) => [{ type: "tensor", "tensor-spec": { dtype: "float64", shape } }];
const [features = []] = [unitIn("house-listing-unit")?.gives];

function mistakes(graph: object, decisions: Decisions): string[] {
  return checkGraph(modelOf(graph), {}, decisions).map(
    ({ path, message }) => `${placeOf(path).replace("mlplatform:", "")} ${message}`,
  );
}

describe("neighbours in a graph", () => {
  const listing = { name: "listing", image: "house-listing-unit", children: [model("houses")] };
  const average = { name: "average", image: "average-unit", children: [model("one"), model("other")] };

  for (const [what, graph, signatures, expected] of [
    ["fit where names do", listing, { houses: [named(...[...features].reverse())] }, []],
    ["fit where there are as many columns", listing, { houses: [tensor(-1, 10)] }, []],
    ["are left alone where nothing is decided, or not known", listing, { other: [named("a")] }, []],
    ["are left alone where a signature is no list", listing, { houses: [{}] }, []],
    [
      "do not fit where columns are missing",
      listing,
      { houses: [named(...features.slice(1), "garden")] },
      [`graph.children[0].name is "houses", which takes garden, and that is not what listing gives`],
    ],
    [
      "do not fit where there are fewer",
      listing,
      { houses: [tensor(-1, 11)] },
      [`graph.children[0].name is "houses", which takes 11 columns, and listing gives 10`],
    ],
    [
      "may be twins",
      average,
      { one: [named("a", "b"), tensor(-1)], other: [named("b", "a"), tensor(-1, 1)] },
      [],
    ],
    [
      "do not fit where twins take and answer otherwise",
      average,
      { one: [named("a", "b"), tensor(-1)], other: [named("a", "c"), tensor(-1, 3)] },
      [
        `graph.children[1].name is "other", which takes c, and that is not what one takes`,
        `graph.children[1].name is "other", which answers 3 columns, and one answers 1`,
      ],
    ],
    [
      "do not fit through a combiner either",
      { ...listing, children: [average] },
      { other: [tensor(-1, 4)] },
      [`graph.children[0].name is "average", which takes 4 columns, and listing gives 10`],
    ],
    [
      "do not fit where a model takes other than the one before it answers",
      { ...model("first"), children: [model("second")] },
      { first: [tensor(-1, 2), tensor(-1)], second: [tensor(-1, 2)] },
      [`graph.children[0].name is "second", which takes 2 columns, and first gives 1`],
    ],
  ] as const)
    it(what, () => {
      expect(mistakes(graph, decisionsOf(signatures))).to.deep.equal(expected);
    });
});

describe("a node of a graph", () => {
  it("asks for what its entry does, and a unit for less, unless it says so", () => {
    const entry = modelSchema("dev").parse({
      name: "it",
      resources: { cpu: "2" },
      startupSeconds: 99,
      graph: {
        name: "average",
        image: "average-unit",
        children: [model("one"), { ...model("other"), resources: { memory: "256Mi" }, startupSeconds: 10 }],
      },
    });
    expect(
      partsOf(entry).map(({ model: { name, resources, startupSeconds } }) => ({
        name,
        ...resources,
        startupSeconds,
      })),
    ).to.deep.equal([
      { name: "average", cpu: "50m", memory: "128Mi", memoryLimit: "256Mi", startupSeconds: 99 },
      { name: "one", cpu: "2", memory: "512Mi", memoryLimit: "1Gi", startupSeconds: 99 },
      { name: "other", cpu: "2", memory: "256Mi", memoryLimit: "1Gi", startupSeconds: 10 },
    ]);
  });

  it("speaks what those beside it do", () => {
    const wine = { name: "wine", server: "XGBOOST_SERVER", model: "s3://models/a" };
    const average = (...children: object[]) => modelOf({ name: "average", image: "average-unit", children });
    expect(protocolOf(average(wine, { ...wine, name: "other" }))).to.equal("v2");
    expect(protocolOf(average(model("one"), model("other")))).to.equal("seldon");
  });
});

describe("a manifest of a unit", () => {
  it("is refused where its example has not a cell for each column", () => {
    const unit = {
      name: "a",
      type: "TRANSFORMER",
      image: "a",
      class: "a.A",
      protocols: ["v2"],
      parameters: {},
    };
    expect(() => readUnit("a", JSON.stringify({ ...unit, takes: ["x", "y"], example: [1] }))).to.throw(
      /^ml-app\/a\/unit\.json: .*must have as many cells as takes has columns/,
    );
  });
});

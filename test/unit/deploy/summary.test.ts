import { expect } from "chai";

import type { AnsweringModel, UncheckedModel } from "../../../cli/deploy/answers";
import { told } from "../../../cli/deploy/changes";
import { summarise } from "../../../cli/deploy/summary";
import type { Deployed } from "../../../cli/deploy/up";
import { Progress } from "../../../cli/progress";
import type { ClusterTarget } from "../../../cli/target";
import { Variables } from "../engine/support";
import { outputOf } from "../support/output";

describe("the changes in words", () => {
  it("are counted by what was done", () => {
    const changes = { create: 3, update: 2, delete: 1, replace: 4, same: 59 };
    expect(told(changes)).to.equal("3 created, 2 updated, 1 removed, 4 replaced, 59 unchanged");
    expect(told({ same: 66 })).to.equal("66 unchanged");
    expect(told({ import: 1 })).to.equal("1 import");
    expect(told({})).to.equal("nothing to do");
  });
});

describe("the summary of a deployment", () => {
  const variables = new Variables();
  const address = { namespace: "ml-models", service: "house-price-default", port: 8000 };
  const answers = [
    {
      model: { name: "house-price", protocol: "seldon", predictors: ["one"] },
      predictor: { name: "default", version: "1a", address },
      version: "4",
      row: [3, 1.5],
      answer: { data: { ndarray: [[312345.678]] } },
      checkedRows: 5,
    },
  ] as unknown as (AnsweringModel | UncheckedModel)[];
  const unchecked = [
    {
      model: { name: "wine", protocol: "v2", predictors: ["one", "two"] },
      predictor: { name: "default", version: "2b", unit: "regressor", chained: false, address },
      notChecked: "its files are in its image",
    },
  ] as unknown as UncheckedModel[];
  const backend = {
    url: "file:///home/me/state",
    own: true,
    env: { PULUMI_BACKEND_URL: "file:///home/me/state" },
  };
  const deployed = { stack: { backend }, changes: { create: 66 } } as unknown as Deployed;
  const target = (stack: string) => ({ stack, context: { name: "minikube" } }) as ClusterTarget;
  const url = "http://house-price.ml-models.svc.cluster.local:8000/api/v1.0/predictions";

  beforeEach(() => {
    variables.set({ MLPLATFORM_HOME: "/home/me" });
  });
  afterEach(() => {
    variables.restore();
  });

  const written = async (stack: string, mode: "plain" | "json", given = answers, frontend = false) => {
    const { out, err } = await outputOf(() => {
      const progress = new Progress(mode);
      summarise(target(stack), deployed, { answers: given, frontend }, 71.26, progress);
      progress.stop();
      return Promise.resolve();
    });
    expect(err).to.equal("");
    return out;
  };

  it("shows answers, what to do next, and what it took", async () => {
    const out = await written("dev", "plain");
    const [head, tail] = out.split(/\n\n┌[^]*┘\n\n/);
    expect(head).to.equal("\nhouse-price version 4, predictor default, answers for [3,1.5]:");
    expect(out).to.contain("312,345.68");
    expect(tail).to.equal(`  in the cluster   ${url}

  MLflow, MinIO, models in a browser   npm run open
  ask the model                        npm run predict
  what runs, and its health            npm run status
  remove it                            npm run down
  the same stack with plain Pulumi     export PULUMI_BACKEND_URL='file:///home/me/state' MLPLATFORM_HOME='/home/me'
                                       pulumi preview --stack dev --config-file /home/me/stacks/dev/Pulumi.dev.yaml

  Up after 71.3 s: 66 created.
`);
  });

  it("says how to open the page, where there is one", async () => {
    const out = await written("prod", "plain", answers, true);
    expect(out).to.contain(
      "  ask the models on a page             npm run open -- frontend --stack prod\n" +
        "  its address in the cluster           http://frontend.fe.svc.cluster.local:8501\n" +
        "  MLflow, MinIO, models in a browser ",
    );
    const told = JSON.parse(await written("dev", "json", answers, true)) as object;
    expect(told).to.include({ frontend: "http://frontend.fe.svc.cluster.local:8501" });
    expect(JSON.parse(await written("dev", "json"))).not.to.have.property("frontend");
  });

  it("names the stack in every command where it is not the one that is meant without", async () => {
    const out = await written("prod", "plain", []);
    for (const command of ["open", "predict", "status", "down"])
      expect(out).to.contain(`npm run ${command} -- --stack prod\n`);
    expect(out).to.not.match(/npm run \w+\n/);
    expect(out).to.not.contain("in the cluster");
  });

  it("says what is not checked, and why", async () => {
    const at = "http://house-price-default.ml-models.svc.cluster.local:8000/v2/models/regressor/infer";
    expect(await written("dev", "plain", unchecked)).to.contain(
      `wine hash 2b, predictor default, is not checked: its files are in its image\n\n  in the cluster   ${at}\n`,
    );
    const { models } = JSON.parse(await written("dev", "json", unchecked)) as { models: object[] };
    expect(models).to.deep.equal([
      {
        ...{ name: "wine", predictor: "default", version: null, hash: "2b", url: at },
        notChecked: "its files are in its image",
      },
    ]);
  });

  it("is one event for programs", async () => {
    const lines = (await written("dev", "json")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal([
      {
        ...{ event: "up", target: "cluster", stack: "dev", context: "minikube", seconds: 71.26 },
        changes: { create: 66 },
        models: [
          {
            ...{ name: "house-price", predictor: "default", version: "4", hash: "1a", url, checkedRows: 5 },
            prediction: { row: [3, 1.5], value: 312345.678 },
          },
        ],
        plain: [
          "export PULUMI_BACKEND_URL='file:///home/me/state' MLPLATFORM_HOME='/home/me'",
          "pulumi preview --stack dev --config-file /home/me/stacks/dev/Pulumi.dev.yaml",
        ],
      },
    ]);
  });
});

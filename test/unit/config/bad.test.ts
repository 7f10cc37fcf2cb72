import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";

import { appImages } from "../../../config/models";
import { charts as pinned } from "../../../pins";
import { run, stackConfig } from "./support";

/** A stack file that is wrong. The files in `bad/` hold lists of them. */
interface Case {
  readonly what: string;
  /** @default "dev" */
  readonly stack?: string;
  /** Whether the context is set as well. @default true */
  readonly context?: boolean;
  /** What stands below `config:`. */
  readonly config: string;
  /** All that the user is told, to the letter. */
  readonly message: string;
}

const folder = path.join(__dirname, "bad");
const files = readdirSync(folder).sort();

describe("a wrong stack file", () => {
  it("registers a resource if it is not wrong, so that the other cases can tell", async () => {
    const { registered, error } = await run(stackConfig("mlplatform:context: minikube"));
    expect(error).to.equal(undefined);
    expect(registered).to.include("pulumi:providers:kubernetes cluster");
  });

  describe("with charts in a folder", () => {
    let charts: string;
    const put = (name: string, version: string) => {
      mkdirSync(path.join(charts, name));
      writeFileSync(
        path.join(charts, name, "Chart.yaml"),
        `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
      );
    };
    const message = async () => {
      const config = `mlplatform:context: minikube\nmlplatform:mirror: { charts: ${charts} }`;
      const { registered, error } = await run(stackConfig(config));
      expect(registered).to.deep.equal([]);
      return (error as Error).message;
    };

    beforeEach(() => {
      charts = mkdtempSync(path.join(tmpdir(), "mlplatform-charts-"));
      put("postgres", pinned.postgres.version);
      put("minio", pinned.minio.version);
      put("seldon-core-operator", "1.17.1");
    });
    afterEach(() => {
      rmSync(charts, { recursive: true });
    });

    it("one of which is not there", async () => {
      expect(await message()).to.equal(
        "Pulumi.dev.yaml has 1 problem; nothing was changed:\n" +
          `  mlplatform:mirror.charts has no chart mlflow ${pinned.mlflow.version}: there is no ${charts}/mlflow/Chart.yaml.`,
      );
    });

    it("one of which has another version", async () => {
      put("mlflow", "1.0.0");
      expect(await message()).to.equal(
        "Pulumi.dev.yaml has 1 problem; nothing was changed:\n" +
          `  mlplatform:mirror.charts has mlflow 1.0.0, and ${pinned.mlflow.version} is pinned.`,
      );
    });
  });

  for (const file of files) {
    describe(path.parse(file).name, () => {
      for (const { what, stack, context = true, config, message } of parse(
        readFileSync(path.join(folder, file), "utf8"),
      ) as Case[]) {
        it(what, async () => {
          const whole = context ? `mlplatform:context: minikube\n${config}` : config;
          const { registered, error } = await run(stackConfig(whole, stack));
          expect(error).to.be.an.instanceOf(pulumi.RunError);
          expect((error as Error).message).to.equal(message.replaceAll("$IMAGES", appImages.join(", ")));
          expect(registered).to.deep.equal([]);
        });
      }
    });
  }
});

import { readFileSync, rmSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import type { Cluster } from "../../../cli/cluster/cluster";
import { log, runWatched } from "../../../cli/deploy/up";
import { EngineFailed, type RunOptions } from "../../../cli/engine/stack";
import { Interrupted } from "../../../cli/errors";
import { Variables, isolated, temporaryFolder } from "../engine/support";
import { rejection } from "../support/rejection";
import { began, database, ended, failed, platform, release, shown, tracking } from "./support";

describe("a run of the engine that is watched", () => {
  const variables = new Variables();
  const mlflow = release("mlflow", "tracking", "mlflow");
  const postgres = release("postgresql", "database", "postgres");
  const resources = [platform, tracking, mlflow, database, postgres];
  // Nothing takes so long here that it is asked about.
  const cluster = {} as unknown as Cluster;
  let home: string;
  let file: string;

  beforeEach(() => {
    home = temporaryFolder();
    variables.set(isolated(home));
    file = log("dev", "up");
  });
  afterEach(() => {
    variables.restore();
    rmSync(home, { recursive: true });
  });

  it("shows what it does, keeps what it writes, and tells what it has changed", async () => {
    let changes: unknown;
    const steps = await shown(resources, async (view) => {
      changes = await runWatched({ cluster }, view, new AbortController().signal, file, (options) => {
        options.onOutput?.("Updating (dev)\n");
        options.onEvent?.(began("create", mlflow));
        options.onEvent?.(ended("create", mlflow));
        return Promise.resolve({ create: 1 });
      });
    });
    expect(changes).to.deep.equal({ create: 1 });
    expect(steps.at(-1)).to.equal("MLflow ✓ 1 created");
    expect(file).to.equal(path.join(home, "mlplatform", "logs", "dev-up.log"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readFileSync(file, "utf8")).to.equal("Updating (dev)\n");
  });

  it("says of a failure that nothing is lost, and where its log lies", async () => {
    let error: Error | undefined;
    const steps = await shown(resources, async (view) => {
      error = await rejection(
        runWatched({ cluster }, view, new AbortController().signal, file, ({ onEvent }) => {
          for (const one of [mlflow, postgres]) onEvent?.(began("create", one));
          for (const event of failed("create", mlflow, "it crashes")) onEvent?.(event);
          return Promise.reject(new EngineFailed("mlplatform-tracking-release: it crashes"));
        }),
      );
    });
    expect(error?.message).to.equal(
      "mlplatform-tracking-release: it crashes\n" +
        `  Nothing is lost: once that is mended, the same command goes on from here. Log: ${file}`,
    );
    expect(steps.slice(-2)).to.deep.equal(["MLflow ✗ it crashes", "Postgres – stopped"]);
  });

  it("leaves a fault of the program as it is", async () => {
    const fault = new TypeError("x is undefined");
    const run = () => Promise.reject(fault);
    let error: unknown;
    await shown(resources, async (view) => {
      error = await rejection(runWatched({ cluster }, view, new AbortController().signal, file, run));
    });
    expect(error).to.equal(fault);
  });

  it("ends with the user's wish to stop, and takes nothing for failed that it has ended", async () => {
    const controller = new AbortController();
    const reason = new Interrupted("SIGINT");
    const run = ({ onEvent, signal }: RunOptions) =>
      new Promise<never>((_, reject) => {
        onEvent?.(began("create", mlflow));
        signal.addEventListener("abort", () => {
          for (const event of failed("create", mlflow, "cancelled")) onEvent?.(event);
          reject(new EngineFailed("cancelled"));
        });
        controller.abort(reason);
      });
    let error: unknown;
    const steps = await shown(resources, async (view) => {
      error = await rejection(runWatched({ cluster }, view, controller.signal, file, run));
    });
    expect(error).to.equal(reason);
    expect(steps).to.deep.equal(["MLflow:", "MLflow: creating Release mlflow", "MLflow – stopped"]);
  });
});

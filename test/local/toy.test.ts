import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { servingEnvironment } from "../../cli/lockFiles";
import { defaultModels } from "../../cli/local/models";
import { type OwnServed, hasOwnServer, manifests } from "../../config/manifests";
import { projectCopy } from "../projectCopy";
import { type ModelUp, TestPlatform, lastEvent, modelUp } from "./support/platform";

describe("a model that is added as a folder, and nothing else", function () {
  this.timeout(300_000);
  const project = projectCopy();
  const platform = new TestPlatform({ project });

  before(() => {
    addToy();
  });
  after(async () => {
    await platform.dispose();
    rmSync(path.dirname(project), { recursive: true, force: true });
  });

  /** The project's own model under another name, with its Dockerfiles, lock files and code. */
  function addToy(): void {
    const [model] = defaultModels.filter(hasOwnServer) as [OwnServed];
    const { name, folder, serving } = model;
    const className = serving.class.split(".").at(-1) ?? "";
    const toy = path.join(project, "ml-app", "toy");
    cpSync(path.join(project, "ml-app", folder), toy, { recursive: true });
    for (const entry of readdirSync(toy, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const text = readFileSync(file, "utf8");
      writeFileSync(
        file,
        text.replaceAll(folder, "toy").replaceAll(name, "toy").replaceAll(className, "Toy"),
      );
    }
    const manifest = path.join(toy, "model.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace('"default": true', '"default": false'));
    const stack = `models: [{ name: toy, image: toy-serve, training: { image: toy-train, parameters: { seed: 5 } } }]`;
    writeFileSync(
      path.join(project, "Pulumi.toy.yaml"),
      `config:\n  mlplatform:environment: dev\n  mlplatform:context: minikube\n  mlplatform:${stack}\n`,
    );
  }

  it("is trained, served and asked on this machine, and costs nothing where it is not asked for", async () => {
    const { code, events, stderr } = await platform.run(["up", "--once", "--json", "--models", "toy"]);
    expect(code, stderr).to.equal(0);
    expect(modelUp(events)).to.include({ name: "toy", version: "1" });
    expect(modelUp(events).prediction.value).to.be.greaterThan(0);
    const steps = events.map(({ step }) => String(step));
    expect(steps).to.include.members(["Python environment toy-serve", "training toy", "model server toy"]);
    const others = [...manifests.map(({ name }) => name), ...manifests.map(servingEnvironment)];
    expect(steps.filter((step) => others.some((other) => step.includes(other)))).to.deep.equal([]);
    expect(existsSync(path.join(platform.home, "local", "models", "toy"))).to.equal(true);
  });

  it("runs beside the others, each asked by its name", async () => {
    const { code, events, stderr } = await platform.run(["up", "--detach", "--json", "--models", "all"]);
    expect(code, stderr).to.equal(0);
    const names = ["mlflow", ...manifests.map(({ name }) => name), "toy"];
    expect(Object.keys(platform.services())).to.have.members(names);
    const up = lastEvent(events, "up")["models"] as ModelUp[];
    for (const { name, prediction } of up) {
      const { stdout } = await platform.run(["predict", "--json", "--model", name]);
      const { data } = JSON.parse(stdout) as { data: { ndarray: (number | number[])[] } };
      expect(data.ndarray.flat(), name).to.deep.equal([prediction.value]);
    }
    const unnamed = await platform.run(["predict"]);
    expect(unnamed.stderr).to.match(/several models run here; choose one: --model NAME, of .*toy/);
    const status = JSON.parse((await platform.run(["status", "--json"])).stdout) as { services: unknown[] };
    expect(status.services).to.have.length(names.length);
    const one = await platform.run(["up", "--once", "--models", "all", "--data", "x.csv"]);
    expect(one.stderr).to.include(`--data is for one model, and --models names ${manifests.length + 1}`);
    expect((await platform.run(["down"])).code).to.equal(0);
    expect(platform.processes()).to.deep.equal([]);
  });

  it("is built, trained and deployed by a stack that names it, and keeps to the policies", async () => {
    const { code, stdout, stderr } = await platform.run(["preview", "--stack", "toy", "--offline", "--json"]);
    expect(code, stderr).to.equal(0);
    const { resources, findings } = JSON.parse(stdout) as {
      resources: { type: string; inputs: Record<string, unknown> }[];
      findings: unknown[];
    };
    const images = resources.filter(({ type }) => type === "mlplatform:images:AppImage");
    expect(images.map(({ inputs }) => inputs["image"])).to.deep.equal(["toy-serve", "toy-train"]);
    expect(JSON.stringify(resources)).to.include('"--seed","5"');
    expect(findings).to.deep.equal([]);
  });

  it("is checked by its manifest, and stands in the reference of the configuration", async () => {
    const file = path.join(project, "Pulumi.toy.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("seed: 5", "sead: 5"));
    const { stderr } = await platform.run(["preview", "--stack", "toy", "--offline"]);
    expect(stderr).to.include(
      "mlplatform:models[0].training.parameters.sead is not known; did you mean seed?",
    );
    const docs = await platform.script("cli/docs.ts");
    expect(docs.code, docs.stderr).to.equal(0);
    expect(readFileSync(path.join(project, "docs", "configuration.md"), "utf8")).to.include("`toy-serve`");
  });

  it("is no part of another stack", async () => {
    const { stdout } = await platform.run(["preview", "--stack", "dev", "--offline", "--diff", "--json"]);
    expect(JSON.parse(stdout)).to.include({ same: true });
  });
});

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { servingEnvironment } from "../../cli/lockFiles";
import { projectDir } from "../../cli/paths";
import { manifests } from "../../config/manifests";
import { projectCopy } from "../projectCopy";
import { type ModelUp, TestPlatform, lastEvent, modelUp } from "./support/platform";

/** The page that says how to add a model: two are added so. */
const page = readFileSync(path.join(projectDir, "docs", "add-a-model.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(
    ([, content = ""]) => content,
  );
const commands = blocks("console").flatMap((block) => block.trim().split("\n"));
const added = ["rating", "sales"];

describe("a model that is added as a folder, and nothing else", function () {
  this.timeout(300_000);
  const project = projectCopy();
  const platform = new TestPlatform({ project });
  const left = new Set(commands);

  before(() => {
    for (const command of commands.filter((one) => !one.startsWith("npm run "))) {
      execFileSync("sh", ["-c", command], { cwd: project });
      left.delete(command);
    }
    const [models = ""] = blocks("yaml");
    const stack = `mlplatform:environment: dev\nmlplatform:context: minikube\n${models}`;
    writeFileSync(path.join(project, "Pulumi.dev.yaml"), `config:\n${stack.replaceAll(/^/gm, "  ")}\n`);
  });
  after(async () => {
    await platform.dispose();
    rmSync(path.dirname(project), { recursive: true, force: true });
  });

  /** The arguments of a command of the page, which is crossed off. */
  function onThePage(command: string): string[] {
    expect(commands, "the page").to.include(command);
    left.delete(command);
    return [...command.matchAll(/"([^"]*)"|\S+/g)]
      .map(([word, quoted]) => quoted ?? word)
      .filter((word) => word !== "--")
      .slice(2);
  }

  it("is trained, served and asked on this machine, and costs nothing where it is not asked for", async () => {
    const command = onThePage("npm run up -- --target local --models sales --once");
    const { code, events, stderr } = await platform.run([...command, "--json"]);
    expect(code, stderr).to.equal(0);
    expect(modelUp(events)).to.include({ name: "sales", version: "1" });
    expect(modelUp(events).prediction.value).to.be.greaterThan(0);
    const steps = events.map(({ step }) => String(step));
    expect(steps).to.include.members([
      "Python environment sales-serve",
      "training sales",
      "model server sales",
    ]);
    const others = [...manifests.map(({ name }) => name), ...manifests.map(servingEnvironment), "rating"];
    expect(steps.filter((step) => others.some((other) => step.includes(other)))).to.deep.equal([]);
    expect(existsSync(path.join(platform.home, "local", "models", "sales"))).to.equal(true);
  });

  it("runs beside the others, each asked by its name", async () => {
    const command = onThePage("npm run up -- --target local --models all --detach");
    const { code, events, stderr } = await platform.run([...command, "--json"]);
    expect(code, stderr).to.equal(0);
    const names = ["mlflow", "front", "frontend", ...manifests.map(({ name }) => name), ...added];
    expect(Object.keys(platform.services())).to.have.members(names);
    const up = lastEvent(events, "up")["models"] as ModelUp[];
    for (const { name, prediction } of up) {
      const { stdout } = await platform.run(["predict", "--json", "--model", name]);
      const { data } = JSON.parse(stdout) as { data: { ndarray: (number | number[])[] } };
      expect(data.ndarray.flat(), name).to.deep.equal([prediction.value].flat());
    }
    const rating = up.find(({ name }) => name === "rating")?.prediction.value ?? NaN;
    expect(rating).to.be.within(3, 8);
    const shown = [onThePage("npm run predict -- --model rating"), onThePage(asked("rating"))];
    for (const one of shown) expect((await platform.run(one)).stdout).to.include(rating.toFixed(2));
    const unnamed = await platform.run(["predict"]);
    expect(unnamed.stderr).to.match(/several models run here; choose one: --model NAME, of .*sales/);
    const status = await platform.run([...onThePage("npm run status"), "--json"]);
    expect((JSON.parse(status.stdout) as { services: unknown[] }).services).to.have.length(names.length);
    const one = await platform.run(["up", "--once", "--models", "all", "--data", "x.csv"]);
    expect(one.stderr).to.include(`--data is for one model, and --models names ${names.length - 3}`);
    expect((await platform.run(onThePage("npm run down"))).code).to.equal(0);
    expect(platform.processes()).to.deep.equal([]);
  });

  it("is built, trained and deployed by a stack that names it, and keeps to the policies", async () => {
    const command = onThePage("npm run preview -- --stack dev --offline");
    const { code, stdout, stderr } = await platform.run([...command, "--json"]);
    expect(code, stderr).to.equal(0);
    const { resources, findings } = JSON.parse(stdout) as {
      resources: { type: string; inputs: Record<string, unknown> }[];
      findings: unknown[];
    };
    const images = resources.filter(({ type }) => type === "mlplatform:images:AppImage");
    expect(images.map(({ inputs }) => inputs["image"])).to.have.members([
      ...["sales-serve", "sales-train", "rating-train", "frontend"],
    ]);
    expect(JSON.stringify(resources)).to.include('"--seed","5"').and.include('"XGBOOST_SERVER"');
    expect(findings).to.deep.equal([]);
  });

  it("is checked by its manifest, and stands in the reference of the configuration", async () => {
    const file = path.join(project, "Pulumi.dev.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("seed: 5", "sead: 5"));
    const { stderr } = await platform.run(["preview", "--stack", "dev", "--offline"]);
    expect(stderr).to.include(
      "mlplatform:models[0].training.parameters.sead is not known; did you mean seed?",
    );
    const docs = await platform.script("cli/docs.ts");
    expect(docs.code, docs.stderr).to.equal(0);
    expect(readFileSync(path.join(project, "docs", "configuration.md"), "utf8")).to.include("`sales-serve`");
  });

  it("is no part of another stack", async () => {
    const { stdout } = await platform.run(["preview", "--stack", "staging", "--offline", "--diff", "--json"]);
    expect(JSON.parse(stdout)).to.include({ same: true });
  });

  it("takes no command of the page that was not run here", () => {
    expect([...left]).to.deep.equal([]);
  });
});

/** The command that asks a model for its example, written out. */
function asked(model: string): string {
  const example = manifests.find(({ name }) => name === "wine-quality-xgboost")?.example;
  return `npm run predict -- --model ${model} "${JSON.stringify(example)}"`;
}

import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { pages } from "../../../cli/docs";
import { projectDir } from "../../../cli/paths";
import { keys } from "../../../cli/reference";
import { manifests } from "../../../config/manifests";
import { run, stackConfig } from "./support";

describe("the pages that are generated", () => {
  it("are what `npm run docs` would write", async () => {
    for (const [file, text] of await pages())
      expect(readFileSync(file, "utf8"), path.basename(file)).to.equal(text, "Run `npm run docs`.");
  });
});

describe("docs/configuration.md", () => {
  const written = readFileSync(path.join(projectDir, "docs", "configuration.md"), "utf8");

  it("has every value, and a word about every key", () => {
    for (const { path, group, description } of keys()) {
      if (group) continue;
      expect(description, path).not.to.equal("");
      if (!path.endsWith(".kind")) expect(written).to.include(`| \`${path}\``);
    }
  });

  it("shows messages as they are", async () => {
    const { error } = await run(
      stackConfig(`
        mlplatform:context: minikube
        mlplatform:tracking: { replica: 2 }
        mlplatform:models: [{ name: wine, server: SKLEARN_SERVER, allowCode: true, model: s3://models/wine/ }]
      `),
    );
    expect(written).to.include((error as Error).message);
  });

  it("shows a stack file that is right", async () => {
    const example = /```yaml\nconfig:\n([\s\S]*?)```/.exec(written)?.[1] ?? "";
    const { error } = await run(stackConfig(example.replaceAll(/^ {2}/gm, "")));
    expect(error).to.equal(undefined);
  });
});

describe("the page of a model, which may be that of several", () => {
  for (const { name, training } of manifests)
    it(`has each option of the training of ${name}, and the default`, () => {
      const pages = [name, name.replace(/-[a-z]+$/, "")].map((one) =>
        path.join(projectDir, "docs", `${one}.md`),
      );
      const page = readFileSync(pages.find(existsSync) ?? "", "utf8");
      for (const [option, declared] of Object.entries(training.options))
        expect(page).to.match(new RegExp(`\\| \`--${option}\` +\\| ${String(declared.default)}[ ;,]`));
    });
});

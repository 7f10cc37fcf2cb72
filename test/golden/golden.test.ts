import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

import { expect } from "chai";

import { projectDir } from "../../cli/paths";
import { diffText } from "../../cli/plan/diff";
import { goldenFile, graphFile } from "../../cli/plan/files";
import { type Golden, golden, readGolden, updateCommand } from "../../cli/plan/golden";
import { graphSvg } from "../../cli/plan/graph";
import { imagesOf } from "../../cli/plan/images";
import { recordStack } from "../../cli/plan/plan";
import { policyResources } from "../../cli/plan/policy";
import { type Recording, isProvider } from "../../cli/plan/recording";
import { stackNames } from "../../cli/plan/stackFiles";
import { undecrypted } from "../../config/secretWords";
import { findings } from "../../policy/rules";

describe("golden files", () => {
  it("are there for every stack file", () => {
    expect(stackNames().filter((stack) => readGolden(stack) === undefined)).to.deep.equal([]);
    expect(stackNames()).to.include.members(["dev", "staging", "prod"]);
  });

  for (const stack of stackNames()) {
    describe(stack, () => {
      let recording: Recording;
      let made: Golden;

      before(async () => {
        recording = await recordStack(stack);
        made = golden(recording);
      });

      it("is what the program declares", () => {
        const kept = readGolden(stack);
        if (kept === undefined) throw new Error(`There is no golden file. Write it: ${updateCommand(stack)}`);
        if (isDeepStrictEqual(kept, made)) return;
        const advice = `If that is what it should be, write the file anew: ${updateCommand(stack)}`;
        throw new Error(`The program declares something else.\n${diffText(kept, made)}\n${advice}`);
      });

      it("is what its picture in docs/ shows, if there is one", async () => {
        const file = graphFile(stack);
        if (!existsSync(file)) return;
        const same = readFileSync(file, "utf8") === (await graphSvg(recording));
        expect(same, `${file} shows something else; draw it anew: ${updateCommand(stack)}`).to.equal(true);
      });

      it("is the same at every evaluation", async () => {
        const again = await recordStack(stack);
        expect(JSON.stringify(again)).to.equal(JSON.stringify(recording));
      });

      it("has no secret, and nothing of this machine, in it", () => {
        const text = readFileSync(goldenFile(stack), "utf8");
        expect(text).not.to.include(undecrypted);
        expect(text).not.to.include(projectDir);
        expect(text).not.to.match(/secure:|v1:[\w+/]+=*:/);
        for (const [name, resource] of Object.entries(readGolden(stack)?.resources ?? {}))
          if (name.startsWith("kubernetes:core/v1:Secret "))
            for (const value of secretValues(resource)) expect(value, name).to.match(/^\[secret(, |\])/);
      });

      it("names only images of pins.ts, built ones and configured ones", () => {
        const resources = policyResources(recording);
        const unlisted = findings(resources, stack).filter(({ rule }) => rule === "images-from-list");
        expect(unlisted).to.deep.equal([]);
        expect(imagesOf(recording).filter(({ pin }) => pin !== undefined)).not.to.have.length(0);
      });

      it("meets every mandatory policy", () => {
        const violations = findings(policyResources(recording), stack);
        expect(violations.filter(({ severity }) => severity === "error")).to.deep.equal([]);
      });

      it("makes every Kubernetes resource through the explicit provider", () => {
        const providers = recording.resources.filter(isProvider).map(({ urn }) => urn);
        const others = recording.resources.filter(
          ({ type, provider }) => type.startsWith("kubernetes:") && !providers.includes(provider),
        );
        expect(others.map(({ name }) => name)).to.deep.equal([]);
      });
    });
  }

  it("need neither Pulumi, Docker, kubectl nor a kubeconfig", function () {
    this.timeout(120_000);
    const env = { PATH: "/nonexistent", HOME: "/nonexistent", NO_COLOR: "1" };
    const args = ["--require", "./load.cjs", "cli/main.ts", "preview", "--stack", "dev"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: projectDir,
      env,
      encoding: "utf8",
    });
    expect(stdout + stderr)
      .to.include("no Pulumi CLI is on the PATH")
      .and.include("SeldonDeployment");
    expect(status, stdout + stderr).to.equal(0);
  });
});

/** All texts in the data of a Secret of Kubernetes. */
function secretValues(resource: unknown): readonly unknown[] {
  const { data = {}, stringData = {} } = (
    resource as { inputs: Record<"data" | "stringData", object | undefined> }
  ).inputs;
  return [data, stringData].flatMap((part) =>
    typeof part === "string" ? [part] : (Object.values(part) as unknown[]),
  );
}

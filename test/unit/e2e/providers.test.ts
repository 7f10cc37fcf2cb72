import docker from "@pulumi/docker/package.json";
import kubernetes from "@pulumi/kubernetes/package.json";
import random from "@pulumi/random/package.json";
import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { appImages } from "../../../config/models";
import { type Providers, chooseProviders } from "../../e2e/providers";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";

const prebuilt = Object.fromEntries([...appImages, "frontend"].map((name) => [name, `${name}:1`]));

describe("end to end: the providers", () => {
  const before = process.env["E2E_PROVIDERS"];
  let tools: FakeTools;

  beforeEach(() => {
    tools = new FakeTools();
    delete process.env["E2E_PROVIDERS"];
  });
  afterEach(() => {
    tools.dispose();
    if (before === undefined) delete process.env["E2E_PROVIDERS"];
    else process.env["E2E_PROVIDERS"] = before;
  });

  /** Chooses with an engine that has these plugins. */
  const choose = (images: Readonly<Record<string, string>>, plugins: readonly object[]) => {
    tools.add("pulumi", `echo '${JSON.stringify(plugins)}'`);
    return chooseProviders({ file: "pulumi", version: "3.248.0", origin: "path" }, "lab", images);
  };
  const told = ({ kind, description, needed }: Providers) => ({ kind, description, needed });
  const plugin = (name: string, version: string) => ({ name, kind: "resource", version });
  const installed = [plugin("kubernetes", kubernetes.version), plugin("random", random.version)];

  it("are the real ones where they are installed in the project's versions", async () => {
    const providers = await choose({}, [...installed, plugin("docker", docker.version)]);
    const names = `kubernetes ${kubernetes.version}, random ${random.version}, docker ${docker.version}`;
    expect(told(providers)).to.deep.equal({
      kind: "real",
      description: `real plugins: ${names}`,
      needed: [],
    });
    expect(tools.calls).to.deep.equal(["pulumi plugin ls --json"]);
  });

  it("have Docker's where the page's image is not built yet", async () => {
    const { frontend, ...others } = prebuilt;
    expect(frontend).to.equal("frontend:1");
    expect((await choose(others, [...installed, plugin("docker", docker.version)])).description).to.contain(
      `docker ${docker.version}`,
    );
  });

  it("are without Docker's where all images are built already", async () => {
    expect((await choose(prebuilt, installed)).description).to.equal(
      `real plugins: kubernetes ${kubernetes.version}, random ${random.version}`,
    );
  });

  it("are the real ones where they are asked for, installed or not", async () => {
    process.env["E2E_PROVIDERS"] = "real";
    expect((await choose(prebuilt, [])).kind).to.equal("real");
  });

  it("are refused under any other name", async () => {
    process.env["E2E_PROVIDERS"] = "fake";
    const error = await rejection(choose(prebuilt, installed));
    expect(error).to.be.instanceOf(UserError);
    expect(error.message).to.equal("E2E_PROVIDERS is fake; it must be real or stand-in.");
    expect(tools.calls).to.deep.equal([]);
  });

  it("are stand-ins where one is missing, or has another version, and say how to go on with them", async function () {
    this.timeout(60_000);
    const ports = process.env["PULUMI_DEBUG_PROVIDERS"];
    try {
      const other = [
        plugin("kubernetes", "4.0.0"),
        { ...plugin("random", random.version), kind: "language" },
      ];
      const providers = await choose(prebuilt, other);
      providers.stop();
      expect(told(providers)).to.deep.equal({
        kind: "stand-in",
        description:
          "stand-ins through kubectl and helm " +
          `(not installed: kubernetes ${kubernetes.version}, random ${random.version})`,
        needed: [
          "It was made by stand-ins: start them, and set PULUMI_DEBUG_PROVIDERS to what they print:",
          "  node --require ./load.cjs test/standins/kubectl/host.ts lab",
        ],
      });
      expect(process.env["PULUMI_DEBUG_PROVIDERS"]).to.match(/^kubernetes:\d+,docker:\d+,random:\d+$/);
    } finally {
      if (ports === undefined) delete process.env["PULUMI_DEBUG_PROVIDERS"];
      else process.env["PULUMI_DEBUG_PROVIDERS"] = ports;
    }
  });
});

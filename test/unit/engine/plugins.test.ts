import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { type Plugin, installPlugins, pluginsFor } from "../../../cli/engine/plugins";
import { Interrupted } from "../../../cli/errors";
import { projectDir } from "../../../cli/paths";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";
import { Variables, isolated, temporaryFolder } from "./support";

const never = new AbortController().signal;

describe("the providers", () => {
  const variables = new Variables();
  const kubernetes: Plugin = { name: "kubernetes", version: "4.34.2" };
  const random: Plugin = { name: "random", version: "4.21.2" };
  let home: string;
  let tools: FakeTools;
  let said: string[];

  beforeEach(() => {
    home = temporaryFolder();
    tools = new FakeTools();
    said = [];
    variables.set(isolated(home));
  });
  afterEach(() => {
    tools.dispose();
    variables.restore();
    rmSync(home, { recursive: true });
  });

  const folder = ({ name, version }: Plugin) =>
    path.join(home, "pulumi", "plugins", `resource-${name}-v${version}`);
  const put = (plugin: Plugin) => mkdirSync(folder(plugin), { recursive: true });
  const install = (wanted: readonly Plugin[], signal = never) => {
    const step = { detail: (text: string) => said.push(text) };
    return installPlugins({ file: "pulumi", version: "", origin: "path" }, wanted, step, signal);
  };
  const call = ({ name, version }: Plugin) =>
    `pulumi plugin install resource ${name} ${version} --non-interactive`;

  it("are those of the packages that the types come from, in their versions, each once", () => {
    const types = [
      ...["random:index/randomPassword:RandomPassword", "kubernetes:core/v1:Namespace"],
      ...["kubernetes:helm.sh/v3:Release", "pulumi:providers:kubernetes", "pulumi:pulumi:Stack"],
      ...["mlplatform:platform:MlPlatform", ""],
    ];
    const version = (name: string) =>
      (
        JSON.parse(
          readFileSync(path.join(projectDir, "node_modules", "@pulumi", name, "package.json"), "utf8"),
        ) as { version: string }
      ).version;
    expect(pluginsFor(types)).to.deep.equal([
      { name: "kubernetes", version: version("kubernetes") },
      { name: "random", version: version("random") },
    ]);
    expect(pluginsFor([])).to.deep.equal([]);
  });

  it("are fetched where they are missing", async () => {
    tools.add("pulumi");
    put(random);
    await install([kubernetes, random]);
    expect(tools.calls).to.deep.equal([call(kubernetes)]);
    expect(said).to.deep.equal(["fetching kubernetes 4.34.2", "fetched kubernetes 4.34.2"]);
  });

  it("are fetched again where that was cut off, and where they are of another version", async () => {
    tools.add("pulumi");
    put(kubernetes);
    writeFileSync(`${folder(kubernetes)}.partial`, "");
    put({ ...random, version: "4.0.0" });
    await install([kubernetes, random]);
    expect(tools.calls.sort()).to.deep.equal([call(kubernetes), call(random)]);
    expect(said.at(-1)).to.equal("fetched kubernetes 4.34.2, random 4.21.2");
  });

  it("are used as they are where nothing is missing", async () => {
    tools.add("pulumi");
    for (const plugin of [kubernetes, random]) put(plugin);
    await install([kubernetes, random]);
    expect(tools.calls).to.deep.equal([]);
    expect(said).to.deep.equal(["kubernetes 4.34.2, random 4.21.2"]);
  });

  it("are not fetched where a debugger serves them", async () => {
    tools.add("pulumi");
    put(random);
    variables.set({ PULUMI_DEBUG_PROVIDERS: "docker:1001,kubernetes:1002" });
    await install([kubernetes, random]);
    expect(tools.calls).to.deep.equal([]);
    expect(said).to.deep.equal(["kubernetes attached, random 4.21.2"]);
  });

  it("say which cannot be had, and why, and what helps", async () => {
    tools.add(
      "pulumi",
      'case $4 in kubernetes) echo "fetching" >&2; echo "error: 404 HTTP error fetching plugin" >&2; exit 255;; ' +
        "random) exit 3;; esac",
    );
    const docker = { name: "docker", version: "5.2.0" };
    const { message } = await rejection(install([docker, kubernetes, random]));
    expect(message).to.equal(
      "providers cannot be fetched:\n" +
        "  kubernetes 4.34.2: 404 HTTP error fetching plugin\n" +
        "  random 4.21.2: plugin random 4.21.2: it failed (exit code 3). It wrote nothing.\n" +
        "They come from get.pulumi.com and github.com. Behind a proxy, set HTTPS_PROXY; without a way there, put them " +
        `into ${path.join(home, "pulumi", "plugins")} by hand (pulumi plugin install resource NAME VERSION --file …).`,
    );
    expect(tools.calls.sort()).to.deep.equal([call(docker), call(kubernetes), call(random)]);
    expect(said).to.deep.equal(["fetching docker 5.2.0, kubernetes 4.34.2, random 4.21.2"]);
  });

  it("are no failure where the user has stopped it", async () => {
    tools.add("pulumi");
    const controller = new AbortController();
    const reason = new Interrupted("SIGINT");
    controller.abort(reason);
    expect(await rejection(install([kubernetes], controller.signal))).to.equal(reason);
    expect(tools.calls).to.deep.equal([]);
  });
});

import { appendFileSync, readFileSync, readdirSync, rmSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import {
  encryptsItself,
  forgetContext,
  keepContext,
  keptContext,
  settingsFile,
  stackDir,
  writeSettings,
} from "../../../cli/engine/settings";
import { Variables, isolated, projectIn, temporaryFolder } from "./support";

describe("the settings that the engine is given", () => {
  const variables = new Variables();
  let home: string;
  let restoreProject: () => void;

  const files = {
    "Pulumi.yaml": "name: mlplatform # the project\n",
    "Pulumi.dev.yaml": "config:\n  mlplatform:context: minikube # by name\n  mlplatform:environment: dev\n",
    "Pulumi.team.yaml":
      "encryptionsalt: v1:theirs\nconfig:\n  mlplatform:images:\n    registry: r\n    prebuilt: { a: a:1, b: b:1 }\n",
    "Pulumi.cloud.yaml": "secretsprovider: awskms://key\nencryptedkey: abc\n",
    "Pulumi.environments.yaml": "environment: [team]\n",
    "Pulumi.empty.yaml": "",
    "Pulumi.legacy.yaml": `config: {mlplatform:config:context: theirs, mlplatform:images: '{"registry": "r"}'}\n`,
    "Pulumi.quoted.yaml": "config:\n  mlplatform:list: [&a {since: '2024-01-31', n: 3, '0b11': 0.1}, *a]\n",
  };
  const local = { context: "kind-lab", prebuilt: {} };
  const written = (stack: string) =>
    parse(readFileSync(settingsFile(stack), "utf8")) as Record<string, unknown>;

  beforeEach(async () => {
    home = temporaryFolder();
    variables.set(isolated(home));
    restoreProject = await projectIn(path.join(home, "project"), files);
  });
  afterEach(() => {
    for (const [name, content] of Object.entries(files))
      expect(readFileSync(path.join(home, "project", name), "utf8"), name).to.equal(content);
    expect(readdirSync(path.join(home, "project"))).to.have.length(Object.keys(files).length);
    restoreProject();
    variables.restore();
    rmSync(home, { recursive: true });
  });

  it("are the stack's own, with the context of this machine, beside a copy of the project's file", () => {
    writeSettings("dev", local);
    expect(settingsFile("dev")).to.equal(path.join(home, "mlplatform", "stacks", "dev", "Pulumi.dev.yaml"));
    expect(written("dev")).to.deep.equal({
      config: { "mlplatform:context": "kind-lab", "mlplatform:environment": "dev" },
    });
    expect(readFileSync(stackDir("dev", "Pulumi.yaml"), "utf8")).to.equal(files["Pulumi.yaml"]);
    expect(readdirSync(stackDir("dev")).sort()).to.deep.equal(["Pulumi.dev.yaml", "Pulumi.yaml"]);
  });

  it("keep the salt that the engine has written, and nothing else of the last time", () => {
    writeSettings("dev", { context: "kind-lab", prebuilt: { a: "a:1" } });
    appendFileSync(settingsFile("dev"), "encryptionsalt: v1:ours\n");
    for (const context of ["minikube", "kind-lab"]) {
      writeSettings("dev", { context, prebuilt: {} });
      expect(written("dev")).to.deep.equal({
        encryptionsalt: "v1:ours",
        config: { "mlplatform:context": context, "mlplatform:environment": "dev" },
      });
    }
  });

  it("encrypt as the stack's own file says, whatever there was before", () => {
    expect(["dev", "team", "cloud", "empty", "missing"].map(encryptsItself)).to.deep.equal([
      ...[false, true, true, false, false],
    ]);
    writeSettings("team", local);
    appendFileSync(settingsFile("team"), "secretsprovider: passphrase\n");
    writeSettings("team", local);
    expect(written("team"))
      .to.include({ encryptionsalt: "v1:theirs" })
      .and.not.have.property("secretsprovider");
    writeSettings("cloud", local);
    expect(written("cloud")).to.deep.equal({
      ...{ secretsprovider: "awskms://key", encryptedkey: "abc" },
      config: { "mlplatform:context": "kind-lab" },
    });
  });

  it("name the environments that give further values", () => {
    writeSettings("environments", local);
    expect(written("environments")).to.deep.equal({
      ...{ environment: ["team"], config: { "mlplatform:context": "kind-lab" } },
    });
  });

  it("name the images that the cluster has already, beside what the stack says of images", () => {
    writeSettings("team", { context: "kind-lab", prebuilt: { b: "b:2", c: "c:2" } });
    expect(written("team")["config"]).to.deep.equal({
      "mlplatform:context": "kind-lab",
      "mlplatform:images": { registry: "r", prebuilt: { a: "a:1", b: "b:2", c: "c:2" } },
    });
    writeSettings("team", { prebuilt: {}, daemonPlatform: "linux/arm64" });
    expect(written("team")["config"]).to.deep.include({
      "mlplatform:images": { registry: "r", prebuilt: { a: "a:1", b: "b:1" }, daemonPlatform: "linux/arm64" },
    });
    writeSettings("empty", { context: "kind-lab", prebuilt: { a: "a:1" } });
    expect(written("empty")["config"]).to.deep.equal({
      "mlplatform:context": "kind-lab",
      "mlplatform:images": { prebuilt: { a: "a:1" } },
    });
  });

  it("have quotes around every text and key, so that Pulumi takes none for a date or a number", () => {
    writeSettings("quoted", local);
    const text = readFileSync(settingsFile("quoted"), "utf8");
    expect(text.match(/"since": "2024-01-31",\s+"n": 3,\s+"0b11": 0.1\s/g)).to.have.length(2);
  });

  it("have each key once, and take images that are written as JSON for what they say", () => {
    writeSettings("legacy", { context: "kind-lab", prebuilt: { a: "a:1" } });
    expect(written("legacy")["config"]).to.deep.equal({
      "mlplatform:context": "kind-lab",
      "mlplatform:images": { registry: "r", prebuilt: { a: "a:1" } },
    });
  });

  it("remember where a stack is until nothing is there any more", () => {
    expect(keptContext("dev")).to.equal(undefined);
    keepContext("dev", "kind-lab");
    expect([keptContext("dev"), keptContext("team")]).to.deep.equal(["kind-lab", undefined]);
    writeSettings("dev", local);
    keepContext("dev", "minikube");
    expect(keptContext("dev")).to.equal("minikube");
    forgetContext("dev");
    forgetContext("dev");
    expect(keptContext("dev")).to.equal(undefined);
  });
});

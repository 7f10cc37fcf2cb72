import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { expect } from "chai";

import { evaluate } from "../../../cli/plan/evaluate";
import type { RecordedResource, Recording } from "../../../cli/plan/recording";
import { rejection } from "../support/rejection";
import { sampleConfig, sampleProgram } from "./sample";

const stack = "staging";

describe("evaluate", () => {
  let recording: Recording;
  const resource = (kind: string, name: string): RecordedResource => {
    const found = recording.resources.find((one) => one.type.endsWith(`:${kind}`) && one.name === name);
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
    return found;
  };

  before(async () => {
    const config = { ...sampleConfig, "mlplatform:token": "from-the-config" };
    recording = await evaluate(sampleProgram, { stack, config, secretKeys: ["mlplatform:token"] });
  });

  it("runs the program as a preview of the stack", async () => {
    const program = () => ({
      stack: pulumi.getStack(),
      project: pulumi.getProject(),
      preview: pulumi.runtime.isDryRun(),
    });
    const { outputs } = await evaluate(program, { stack, config: {} });
    expect(outputs).to.deep.equal({ stack, project: "mlplatform", preview: true });
  });

  it("refuses two resources that the engine cannot tell apart", async () => {
    const program = () => {
      for (const length of [1, 2]) new random.RandomPassword("key", { length });
    };
    const { message } = await rejection(evaluate(program, { stack, config: {} }));
    expect(message).to.equal(
      "two resources of type random:index/randomPassword:RandomPassword are named key: Pulumi takes one.",
    );
  });

  it("takes what a resource was asked to be for known, and the rest for unknown", () => {
    expect(resource("Release", "db-release").inputs).to.deep.include({ namespace: "postgres" });
    expect(recording.outputs).to.deep.equal({
      chart: "oci://registry.example.com/charts/postgres",
      password: "[secret, unknown until deployed]",
      revision: "[unknown until deployed]",
    });
    expect(recording.secretOutputs).to.deep.equal(["password"]);
  });

  it("shows no secret, and says where each is", () => {
    const { inputs, secretPaths } = resource("Secret", "connection");
    expect(inputs["stringData"]).to.deep.equal({
      host: "[secret, unknown until deployed]",
      token: "[secret]",
      uri: "[secret, unknown until deployed]",
    });
    expect(secretPaths).to.deep.equal([
      "stringData",
      "stringData.host",
      "stringData.token",
      "stringData.uri",
    ]);
    expect(JSON.stringify(recording)).not.to.include("from-the-config");
    expect(resource("Deployment", "app").secretPaths).to.deep.equal([]);
  });

  it("marks what is unknown inside of what is known", () => {
    const spec = resource("Deployment", "app").inputs["spec"] as {
      template: { spec: { containers: unknown } };
    };
    expect(spec.template.spec.containers).to.deep.equal([
      { image: "registry.example.com/app:abc", name: "app" },
      { image: "[unknown until deployed]", name: "built" },
    ]);
  });

  it("shows the values of secrets where it is told to", async () => {
    const program = () => {
      new k8s.core.v1.Secret("it", { stringData: { key: pulumi.secret("value") } });
    };
    const { resources } = await evaluate(program, { stack, config: {}, reveal: true });
    expect(resources[0]?.inputs["stringData"]).to.deep.equal({ key: "value" });
    expect(resources[0]?.secretPaths).to.deep.equal(["stringData", "stringData.key"]);
  });

  it("makes up ids and generated secrets where it is no preview, so that all of the program runs", async () => {
    const program = () => {
      const { result, id } = new random.RandomPassword("it", { length: 8 });
      return { result, id, both: pulumi.interpolate`${id} ${result}` };
    };
    const recorded = await evaluate(program, { stack, config: {}, preview: false, reveal: true });
    expect(recorded.outputs).to.deep.equal({
      result: "made-up-it-result",
      id: "it-id",
      both: "it-id made-up-it-result",
    });
    expect(recorded.secretOutputs).to.deep.equal(["both", "result"]);
  });

  it("records parents, providers, options and aliases", () => {
    const release = resource("Release", "db-release");
    const root = `urn:pulumi:${stack}::mlplatform::`;
    expect(release.urn).to.equal(
      `${root}mlplatform:database:PostgresChart$kubernetes:helm.sh/v3:Release::db-release`,
    );
    expect(release.parent).to.equal(`${root}mlplatform:database:PostgresChart::db`);
    expect(release.provider).to.equal(`${root}pulumi:providers:kubernetes::cluster`);
    expect(release.options).to.deep.equal({
      protect: true,
      customTimeouts: { create: "20m" },
      ignoreChanges: ["values.note"],
    });
    expect(resource("PostgresChart", "db").options).to.deep.equal({ aliases: [{ name: "old-db" }] });
    expect(resource("Secret", "connection").options.retainOnDelete).to.equal(true);
    expect(resource("Namespace", "db-namespace").options).to.deep.equal({});
  });

  it("records what depends on what, and through which input", () => {
    const names = (urns: readonly string[] = []) => urns.map((urn) => urn.split("::").at(-1));
    const secret = resource("Secret", "db-credentials");
    expect(names(secret.dependencies)).to.deep.equal(["db-namespace", "db-password"]);
    expect(names(secret.propertyDependencies["metadata"])).to.deep.equal(["db-namespace"]);
    expect(names(secret.propertyDependencies["stringData"])).to.deep.equal(["db-password"]);
    const app = resource("Deployment", "app");
    expect(names(app.dependencies)).to.include.members(["db-release", "app"]);
    expect(names(app.propertyDependencies["spec"])).to.deep.equal(["app"]);
  });

  it("records warnings and notices with the resource that they are about", () => {
    const [warning, info, ...others] = recording.notices;
    expect(warning?.severity).to.equal("warning");
    expect(warning?.message).to.include("Business Source Licence");
    expect(info?.severity).to.equal("info");
    expect(info?.urn).to.match(/::db-release$/);
    expect(others).to.deep.equal([]);
  });

  it("refuses to call a provider's function, and names it", async () => {
    const program = () => ({ result: pulumi.runtime.invoke("some:module:function", {}) });
    const error = await rejection(evaluate(program, { stack, config: {} }));
    expect(error.message).to.include("some:module:function").and.include("no provider is there to answer");
  });

  it("throws what the program threw", async () => {
    const thrown = new pulumi.RunError("the configuration is wrong");
    const program = () => {
      throw thrown;
    };
    expect(await rejection(evaluate(program, { stack, config: {} }))).to.equal(thrown);
  });

  it("gathers errors from applies, though what waits for them never ends", async () => {
    const program = () => {
      const failing = (text: string) =>
        pulumi.output(text).apply((reason): string => {
          throw new pulumi.RunError(reason);
        });
      const parent = new k8s.core.v1.Namespace("one", { metadata: { name: failing("the first is wrong") } });
      new k8s.core.v1.Namespace("child", {}, { parent });
      new k8s.core.v1.Namespace("two", { metadata: { name: failing("the second is wrong") } });
    };
    const { message } = await rejection(evaluate(program, { stack, config: {} }));
    expect(message).to.include("the first is wrong").and.include("the second is wrong");
  });

  it("takes an error that is only logged for one", async () => {
    const program = () => {
      void pulumi.log.error("this cannot be");
    };
    expect((await rejection(evaluate(program, { stack, config: {} }))).message).to.equal("this cannot be");
  });

  it("leaves nothing behind for the next evaluation", async () => {
    const config = { ...sampleConfig, "mlplatform:token": "from-the-config" };
    const [first, second] = await Promise.all([
      evaluate(sampleProgram, { stack: "one", config }),
      evaluate(sampleProgram, { stack: "two", config: sampleConfig }),
    ]);
    const renamed = JSON.stringify(second).replaceAll("two", "one");
    expect(renamed).to.equal(JSON.stringify(first));
    expect(process.listeners("unhandledRejection").some((listener) => listener.name === "collect")).to.equal(
      false,
    );
  });
});

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { record } from "./support/recorder";
import { rejection } from "./support/rejection";

describe("record", () => {
  it("refuses a provider function that no test expects", async () => {
    const program = () => ({ result: pulumi.runtime.invoke("some:module:function", {}) });
    expect((await rejection(record(program, {}))).message).to.include("some:module:function");
  });

  it("sees a resource that is created inside an apply whose result nobody uses", async () => {
    const program = () => {
      pulumi.output("late").apply((name) => new pulumi.ComponentResource("test:index:Late", name));
    };
    const { resources } = await record(program, {});
    expect(resources.map(({ name }) => name)).to.deep.equal(["late"]);
  });
});

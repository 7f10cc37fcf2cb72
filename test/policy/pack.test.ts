import { readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../cli/paths";
import { policies } from "../../policy/pack";
import { rules } from "../../policy/rules";
import { Engine, type EngineResource, secret, unknown, urnOf } from "./support/engine";

const secretType = "kubernetes:core/v1:Secret";
const plain = (at: string) =>
  `${at} is plain text in the state and in previews: pass it, or all of it, through pulumi.secret()`;

const root = (environment: string): EngineResource => ({
  type: "mlplatform:platform:MlPlatform",
  name: "mlplatform",
  inputs: { environment },
});
const password: EngineResource = {
  type: "random:index/randomPassword:RandomPassword",
  name: "admin",
  inputs: { length: 32 },
};
const unprotected = {
  policy: "protected-data",
  urn: urnOf(password),
  level: "mandatory" as const,
  message:
    "option protect is not set on a password, which the data cannot be read without, in prod: " +
    "set it to true, so that nothing deletes or replaces it",
};

describe("the policy pack", () => {
  it("has a policy for each rule, as strict as the rule", () => {
    const [, ...own] = policies();
    expect(
      own.map(({ name, description, enforcementLevel }) => ({ name, description, enforcementLevel })),
    ).to.deep.equal(
      rules.map(({ name, description, enforcement }) => ({
        name,
        description,
        enforcementLevel: enforcement,
      })),
    );
  });

  it("is told secrets apart from plain values, at any depth and under any key", async () => {
    const violations = await new Engine(policies()).deploy([
      { type: secretType, name: "plain", inputs: { stringData: { a: "x", "b.c": "y", d: secret("z") } } },
      { type: secretType, name: "whole", inputs: { stringData: secret({ a: "x", "b.c": "y" }) } },
      {
        type: "kubernetes:core/v1:ConfigMap",
        name: "map",
        inputs: { data: { "my.cnf": secret("z") }, lists: [[secret("y")]] },
      },
    ]);
    expect(violations).to.deep.equal(
      [
        plain("stringData.a"),
        plain('stringData["b.c"]'),
        ...['data["my.cnf"]', "lists[0][0]"].map(
          (at) =>
            `${at} holds a secret, which the cluster stores and shows in plain text: put it into a Secret and refer to that`,
        ),
      ].map((message) => ({ policy: "no-plaintext-secret", urn: "", level: "mandatory", message })),
    );
  });

  it("judges the rest of a resource of which something is not known yet", async () => {
    const violations = await new Engine(policies()).deploy([
      {
        type: secretType,
        name: "it",
        inputs: { metadata: { name: unknown }, stringData: { a: unknown, b: "x", c: secret(unknown) } },
      },
    ]);
    expect(violations.map(({ message }) => message)).to.deep.equal([plain("stringData.b")]);
  });

  it("changes nothing", async () => {
    const engine = new Engine(policies());
    expect(
      await engine.remediate({ type: secretType, name: "it", inputs: { stringData: { a: "x" } } }),
    ).to.equal(0);
  });

  it("says so where it is not told about secrets", async () => {
    const [, ...withoutReader] = policies();
    const disabled = await new Engine(withoutReader).analyze({
      type: secretType,
      name: "it",
      inputs: { stringData: secret({ a: "x" }) },
    });
    // It cannot tell, so it takes all for plain.
    expect(disabled.map(({ message }) => message)).to.deep.equal([plain("stringData.a")]);

    const unasked = await new Engine(policies()).analyze({ type: secretType, name: "it", inputs: {} });
    expect(unasked).to.deep.equal([
      {
        policy: "read-inputs",
        urn: "",
        level: "mandatory",
        message: "it cannot be told which inputs are secrets: set the level of read-inputs to remediate",
      },
    ]);
  });

  it("judges a stack by what was asked for, not by what became of it", async () => {
    const namespace: EngineResource = {
      type: "kubernetes:core/v1:Namespace",
      name: "fe",
      inputs: {
        metadata: { name: "fe", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      },
      outputs: {},
    };
    expect(await new Engine(policies()).deploy([namespace])).to.deep.equal([
      {
        policy: "default-deny-network",
        urn: urnOf(namespace),
        level: "mandatory",
        message:
          "metadata.name fe: no NetworkPolicy with an empty podSelector refuses Ingress and Egress: " +
          "add one with policyTypes [Ingress, Egress] and no rules but for DNS",
      },
    ]);
  });

  it("goes by the environment that the root component was told, and by options", async () => {
    const engine = () => new Engine(policies());
    expect(await engine().deploy([root("prod"), password])).to.deep.equal([unprotected]);
    expect(await engine().deploy([root("prod"), { ...password, protect: true }])).to.deep.equal([]);
    expect(await engine().deploy([root("dev"), password])).to.deep.equal([]);
  });

  it("goes by the stack's name where there is no root component", async () => {
    const inProd = await new Engine(policies(), "acme-prod").deploy([password]);
    expect(inProd).to.deep.equal([{ ...unprotected, urn: urnOf(password, "acme-prod") }]);
    expect(await new Engine(policies(), "dev").deploy([password])).to.deep.equal([]);
  });

  it("tells what is only advice as that", async () => {
    const [violation] = await new Engine(policies()).deploy([
      {
        type: "kubernetes:rbac.authorization.k8s.io/v1:Role",
        name: "it",
        inputs: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["*"] }] },
      },
    ]);
    expect(violation).to.deep.equal({
      policy: "no-wildcard-role",
      urn: "",
      level: "advisory",
      message: 'rules[0].verbs is "*", which is everything: name what is needed',
    });
  });

  it("has the project's version, which Pulumi reads from its own package.json", () => {
    const version = (folder: string) => {
      const file = path.join(projectDir, folder, "package.json");
      return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
    };
    expect(version("policy")).to.equal(version("."));
  });
});

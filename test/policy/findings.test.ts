import { expect } from "chai";

import { markers } from "../../cli/plan/recording";
import { environmentOf, findings } from "../../policy/rules";
import { isUnknown, join, lastKey } from "../../policy/rules/values";
import {
  builtImage,
  container,
  job,
  model,
  namespace,
  networkPolicy,
  platform,
  release,
  resource,
  restricted,
  secret,
  sized,
} from "./support/resources";

const denied = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };

/** A small stack of everything that the rules look at. */
const goodStack = [
  platform({ environment: "prod" }),
  namespace("postgres", "restricted", { protect: true }),
  networkPolicy("postgres", denied),
  namespace("ml-models", "baseline"),
  networkPolicy("ml-models", denied),
  resource("random:index/randomPassword:RandomPassword", { length: 32 }, { protect: true }),
  secret({ "postgres-password": markers.unknownSecret }, ["stringData"]),
  release("postgres", { auth: { existingSecret: "postgres-admin" }, resources: sized }, { protect: true }),
  resource("mlplatform:serving:ServingOperator", {
    version: "1.17.1",
    licence: "Apache-2.0",
    licenceAcknowledged: false,
  }),
  builtImage("localhost/mlplatform/house-price-serve:0123456789ab"),
  job(),
  model({
    name: "default",
    graph: { name: "house-price", type: "MODEL" },
    componentSpecs: [
      {
        spec: {
          automountServiceAccountToken: false,
          containers: [
            container({
              name: "house-price",
              image: "localhost/mlplatform/house-price-serve:0123456789ab",
              securityContext: { ...restricted, seccompProfile: undefined },
            }),
          ],
        },
      },
    ],
  }),
  resource("kubernetes:core/v1:Service", { spec: { type: "ClusterIP" } }),
];

describe("the policy rules together", () => {
  it("find nothing in a stack that is as it should be", () => {
    expect(findings(goodStack, "prod")).to.deep.equal([]);
  });

  it("say which rule found what, where, and how strict it is", () => {
    const open = namespace("open", "restricted");
    expect(findings([...goodStack, open], "prod")).to.deep.equal([
      {
        rule: "default-deny-network",
        resource: "urn:pulumi:dev::mlplatform::kubernetes:core/v1:Namespace::open",
        what:
          "metadata.name open: no NetworkPolicy with an empty podSelector refuses Ingress and Egress: " +
          "add one with policyTypes [Ingress, Egress] and no rules but for DNS",
        severity: "error",
      },
    ]);
  });

  it("take the environment from the root component, and from the stack's name without one", () => {
    expect(environmentOf([platform({ environment: "staging" })], "prod")).to.equal("staging");
    const names = ["prod", "acme-production", "stage", "eu.staging", "dev", "product"];
    expect(names.map((name) => environmentOf([], name))).to.deep.equal([
      "prod",
      "prod",
      "staging",
      "staging",
      "dev",
      "dev",
    ]);
  });

  it("do not judge what a plan marks as unknown", () => {
    expect([markers.unknown, markers.unknownSecret].every(isUnknown)).to.equal(true);
    expect(isUnknown(markers.secret)).to.equal(false);
  });
});

describe("paths of values", () => {
  it("put keys with dots into brackets, and find the last key again", () => {
    const paths = [join("", "data"), join("data", "a.b"), join("env", 0), join(join("a", 1), "b")];
    expect(paths).to.deep.equal(["data", 'data["a.b"]', "env[0]", "a[1].b"]);
    expect(paths.map(lastKey)).to.deep.equal(["data", "a.b", "0", "b"]);
  });
});

import { readFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";

import { readStackConfig } from "../../../cli/plan/stackFiles";
import { undecrypted } from "../../../config/secretWords";
import { keys } from "../../../cli/reference";
import { loadConfig } from "../../../config";
import { record } from "../support/recorder";
import { flat, load, run, stackConfig } from "./support";

const folder = path.join(__dirname, "good");
const text = (name: string) => readFileSync(path.join(folder, `${name}.yaml`), "utf8");

describe("values of charts", () => {
  const outcome = (section: string, values: string) =>
    run(stackConfig(`mlplatform:context: minikube\nmlplatform:${section}: { values: ${values} }`));

  for (const [section, values] of [
    [
      "database",
      '{ fullnameOverride: postgresql, service: { port: "5432" }, persistence: { enabled: null } }',
    ],
    [
      "database",
      "{ commonAnnotations: { privileged: true }, nodeSelector: { hostPath: a }, initContainers: [] }",
    ],
    ["objectStore", "{ config: { region: us-east-1, extraEnvVars: [{ name: A, value: b }] } }"],
    [
      "tracking",
      "{ ingress: { enabled: false }, postgresql: { enabled: false }, extraArgs: { gunicorn-opts: a } }",
    ],
    ["serving", "{ istio: { enabled: false }, webhook: { port: 8443 }, singleNamespace: false }"],
  ] as const)
    it(`may be what does no harm: ${section} ${values}`, async () => {
      expect((await outcome(section, values)).error).to.equal(undefined);
    });

  it("may not take away groups and lists that the platform needs", async () => {
    const { error } = await outcome(
      "tracking",
      "{ serverAllowedHosts: null, podSecurityContext: 5, extraEnvVars: {} }",
    );
    expect(pulumi.InputPropertiesError.isInstance(error)).to.equal(true);
    expect(
      (error as pulumi.InputPropertiesError).errors.map(({ propertyPath }) => propertyPath),
    ).to.deep.equal([
      "mlplatform:tracking.values.podSecurityContext",
      "mlplatform:tracking.values.serverAllowedHosts",
    ]);
  });
});

describe("keys that nobody reads", () => {
  it("are told, and change nothing", async () => {
    const config = {
      "mlplatform:context": "minikube",
      "kubernetes:context": "kind-lab",
      "pulumi:tags": "{}",
    };
    const { notices } = await record(loadConfig, config, { stack: "dev" });
    expect(notices.map(({ severity, message }) => `${severity}: ${message}`)).to.deep.equal([
      "warning: kubernetes:context is read by nobody: keys begin with mlplatform:",
    ]);
  });
});

describe("the project's stack files", () => {
  const expected = parse(text("stacks")) as Record<string, Record<string, unknown>>;

  for (const stack of ["dev", "staging", "prod"])
    it(`${stack}: resolves to this and no more`, async () => {
      const config = flat(await load(readStackConfig(stack)));
      const all = Object.entries({ ...expected["dev"], ...expected[stack] });
      expect(config).to.deep.equal(Object.fromEntries(all.filter(([, value]) => value !== null)));
    });

  it("are taken for the environment that their stack is called after", async () => {
    const { environment } = await load(stackConfig("mlplatform:context: minikube", "prod"));
    expect(environment).to.equal("prod");
  });

  it("may be called otherwise if they name an environment", async () => {
    const { tracking } = await load(
      stackConfig("mlplatform:context: minikube\nmlplatform:environment: prod", "eu"),
    );
    expect(tracking.replicas).to.equal(2);
  });
});

describe("a mirror", () => {
  const mirror = async (written: string) =>
    (await load(stackConfig(`mlplatform:context: minikube\n${written}`))).mirror;

  it("is none where none is named", async () => {
    expect(await mirror("")).to.deep.equal({});
  });

  it("as one registry holds images, and charts below them", async () => {
    expect(await mirror("mlplatform:mirror: registry.example.com/mirror")).to.deep.equal({
      images: "registry.example.com/mirror",
      charts: "oci://registry.example.com/mirror/charts",
    });
  });

  it("may be of images alone", async () => {
    expect(await mirror("mlplatform:mirror: { images: localhost:5000 }")).to.deep.equal({
      images: "localhost:5000",
    });
  });

  it("may be of charts alone", async () => {
    expect(await mirror("mlplatform:mirror: { charts: oci://registry.example.com/charts }")).to.deep.equal({
      charts: "oci://registry.example.com/charts",
    });
  });
});

describe("a stack file with every key", () => {
  const inside = stackConfig(text("inside"));
  const outside = stackConfig(text("outside"));

  it("has every key that there is, in one file or the other", () => {
    const written = new Set(
      [inside, outside].flatMap(({ config }) =>
        Object.entries(config).flatMap(([key, value]) => placesIn(key.replace("mlplatform:", ""), value)),
      ),
    );
    const missing = keys().filter((key) => !written.has(key.path));
    expect(missing.map((key) => key.path)).to.deep.equal([]);
  });

  it("resolves to what was written", async () => {
    const { mirror, ...config } = flat(await load(inside));
    const written = parse(text("inside")) as Record<string, unknown>;
    const entries = Object.entries(written).map(([key, value]) => [key.replace("mlplatform:", ""), value]);
    // Models have keys that exclude each other, so each has defaults besides.
    expect(config).to.include(flat(Object.fromEntries(entries)));
    expect(mirror).to.equal(undefined);
  });

  for (const [name, config] of Object.entries({ inside, outside }))
    it(`${name}: makes a whole platform`, async () => {
      const { registered, error } = await run(config);
      expect(error).to.equal(undefined);
      expect(registered).to.include("mlplatform:serving:ModelDeployment house-price");
    });

  it("gives passwords to the program as secrets, and in no other form", async () => {
    const loaded = await load(outside);
    if (loaded.database.kind !== "external" || loaded.objectStore.kind !== "external")
      throw new Error("Both are external.");
    const users = Object.values(loaded.objectStore.users);
    const secrets = [loaded.database.password, ...users.flatMap((one) => one?.secretAccessKey ?? [])];
    for (const secret of secrets) {
      expect(await pulumi.isSecret(secret)).to.equal(true);
      expect(await new Promise((resolve) => secret.apply(resolve))).to.equal(undecrypted);
    }
    const others = Object.values(flat(loaded)).filter((value) => !pulumi.Output.isInstance(value));
    expect(others).not.to.include(undecrypted);
  });
});

/** The places of all groups and values below a key, as the documentation writes them. */
function placesIn(place: string, value: unknown): string[] {
  const parsed: unknown = typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) : value;
  if (Array.isArray(parsed)) return [place, ...parsed.flatMap((item) => placesIn(`${place}[]`, item))];
  if (typeof parsed !== "object" || parsed === null) return [place];
  return [
    place,
    ...Object.entries(parsed).flatMap(([key, item]) =>
      placesIn(`${place}.${place.endsWith(".environment") ? "NAME" : key}`, item),
    ),
  ];
}

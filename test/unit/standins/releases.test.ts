import { expect } from "chai";

import { ReleaseFailed, type ReleaseSpec } from "../../standins/backend";
import { CommandFailed } from "../../standins/kubectl/command";
import { releases } from "../../standins/kubectl/releases";
import { rejection } from "../support/rejection";
import { AnsweringTools, fails, says } from "./support";

const lab = releases("lab");
const values = { auth: { existingSecret: "db", password: "correct-horse" } };
const spec: ReleaseSpec = {
  namespace: "db",
  name: "pg",
  chart: "oci://registry.example/charts/postgres",
  version: "0.20.1",
  values,
  timeout: 600,
  maxHistory: 3,
};
const none = fails("Error: release: not found");
const metadata = (status: string, revision = 1) =>
  says({ name: "pg", chart: "postgres", version: "0.20.1", appVersion: "18.6", revision, status });
const record = (status: string, revision = 1) => ({
  ...{ namespace: "db", name: "pg", chart: "postgres", version: "0.20.1" },
  ...{ revision, status, values },
});
const timedOut = "Error: INSTALLATION FAILED: timed out waiting for the condition";

describe("stand-ins: releases by helm", () => {
  let tools: AnsweringTools;
  /** The calls that are no look-ups. */
  const changes = () => tools.calls.filter((call) => !call.includes(" get "));

  beforeEach(() => {
    tools = new AnsweringTools();
  });
  afterEach(() => {
    tools.dispose();
  });

  describe("are looked up", () => {
    it("with their newest revision and the values they were given", async () => {
      tools.add("helm", { "*metadata*": metadata("deployed", 4), "*get*values*": says(values) });
      expect(await lab.release("db", "pg")).to.deep.equal(record("deployed", 4));
      expect(tools.calls).to.have.members([
        "helm --kube-context lab get metadata pg -n db -o json",
        "helm --kube-context lab get values pg -n db -o json",
      ]);
    });

    it("also where they were given no values", async () => {
      tools.add("helm", { "*metadata*": metadata("deployed"), "*get*values*": says("null") });
      expect((await lab.release("db", "pg"))?.values).to.deep.equal({});
    });

    it("in vain where there is none", async () => {
      tools.add("helm", { "*get*": none });
      expect(await lab.release("db", "pg")).to.equal(undefined);
    });

    it("or not, with helm's message", async () => {
      const message = "Error: Kubernetes cluster unreachable: connection refused";
      tools.add("helm", { "*get*": fails(message) });
      const error = await rejection(lab.release("db", "pg"));
      expect(error).to.be.instanceOf(CommandFailed);
      expect(error.message).to.equal(message);
    });
  });

  describe("are installed and upgraded", () => {
    it("and waited for, with their values through standard input", async () => {
      tools.add("helm", {
        "*metadata*": tools.firstThen(none, metadata("deployed")),
        "*get*values*": says(values),
        "*install*": says("STATUS: deployed"),
      });
      expect(await lab.install(spec)).to.deep.equal(record("deployed"));
      expect(changes()).to.deep.equal([
        "helm --kube-context lab install pg -n db oci://registry.example/charts/postgres " +
          "--wait --timeout 600s --version 0.20.1 -f -",
      ]);
      expect(tools.inputs).to.deep.equal([values]);
    });

    it("with no more revisions kept than they shall have", async () => {
      tools.add("helm", {
        "*metadata*": tools.firstThen(metadata("deployed"), metadata("deployed", 2)),
        "*get*values*": says(values),
        "*upgrade*": says("STATUS: deployed"),
      });
      expect(await lab.upgrade(spec)).to.deep.equal(record("deployed", 2));
      expect(changes()).to.deep.equal([
        "helm --kube-context lab upgrade pg -n db oci://registry.example/charts/postgres " +
          "--wait --timeout 600s --version 0.20.1 --history-max 3 -f -",
      ]);
      expect(tools.inputs).to.deep.equal([values]);
    });

    it("from a folder, or a repository, in the time that Helm has by itself", async () => {
      tools.add("helm", {
        "*metadata*": metadata("deployed"),
        "*get*values*": says("null"),
        "*upgrade*": "",
      });
      const { namespace, name } = spec;
      await lab.upgrade({ namespace, name, chart: "./charts/postgres", version: "", values: {} });
      const repository = "https://charts.example";
      await lab.upgrade({ namespace, name, chart: "postgres", version: "0.20.1", repository, values: {} });
      expect(changes()).to.deep.equal([
        "helm --kube-context lab upgrade pg -n db ./charts/postgres --wait --timeout 300s -f -",
        "helm --kube-context lab upgrade pg -n db postgres --wait --timeout 300s --version 0.20.1 " +
          "--repo https://charts.example -f -",
      ]);
    });

    it("and are an error where they are gone at the end", async () => {
      tools.add("helm", { "*get*": none, "*install*": "" });
      expect((await rejection(lab.install(spec))).message).to.equal(
        "release db/pg was removed while it was installed",
      );
    });
  });

  describe("fail", () => {
    it("and are there, where Helm has recorded the failure", async () => {
      tools.add("helm", {
        "*metadata*": tools.firstThen(none, metadata("failed")),
        "*get*values*": says(values),
        "*install*": fails(timedOut),
      });
      const error = await rejection(lab.install(spec));
      expect(error).to.be.instanceOf(ReleaseFailed);
      expect(error.message).to.equal(timedOut);
    });

    it("and are there, where an upgrade has added a revision to a failed one", async () => {
      tools.add("helm", {
        "*metadata*": tools.firstThen(metadata("failed", 2), metadata("failed", 3)),
        "*get*values*": says(values),
        "*upgrade*": fails("Error: UPGRADE FAILED: timed out"),
      });
      const error = await rejection(lab.upgrade(spec));
      expect(error).to.be.instanceOf(ReleaseFailed);
      expect(error.message).to.equal("Error: UPGRADE FAILED: timed out");
    });

    for (const [what, before, after] of [
      ["none is recorded", none, none],
      ["only an older failure is recorded", metadata("failed", 2), metadata("failed", 2)],
      ["it was cut off", none, metadata("pending-install")],
    ] as const) {
      it(`and are not for an upgrade to mend, where ${what}`, async () => {
        const message = "Error: failed to download oci://registry.example/charts/postgres";
        tools.add("helm", {
          "*metadata*": tools.firstThen(before, after),
          "*get*values*": says(values),
          "*upgrade*": fails(message),
        });
        const error = await rejection(lab.upgrade(spec));
        expect(error).to.be.instanceOf(CommandFailed);
        expect(error.message).to.equal(message);
      });
    }

    it("with the first reason, where Helm cannot tell of its records afterwards either", async () => {
      tools.add("helm", {
        "*metadata*": tools.firstThen(metadata("deployed"), fails("Error: connection refused")),
        "*get*values*": says(values),
        "*upgrade*": fails("Error: UPGRADE FAILED: the connection was lost"),
      });
      expect((await rejection(lab.upgrade(spec))).message).to.equal(
        "Error: UPGRADE FAILED: the connection was lost",
      );
    });
  });

  describe("are removed", () => {
    it("and waited for", async () => {
      tools.add("helm", { "*uninstall*": says('release "pg" uninstalled') });
      await lab.uninstall("db", "pg");
      expect(tools.calls).to.deep.equal(["helm --kube-context lab uninstall pg -n db --wait --timeout 10m"]);
    });

    it("or not, with helm's message", async () => {
      const message = "Error: uninstall: Release not loaded: pg: release: not found";
      tools.add("helm", { "*uninstall*": fails(message) });
      expect((await rejection(lab.uninstall("db", "pg"))).message).to.equal(message);
    });
  });
});

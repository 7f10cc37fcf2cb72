import { expect } from "chai";

import type { KubeObject, ObjectRef } from "../../standins/backend";
import { CommandFailed } from "../../standins/kubectl/command";
import { objects } from "../../standins/kubectl/objects";
import { kubernetesProvider } from "../../standins/kubernetes";
import { kubectlBackend } from "../../standins/kubectl/backend";
import { InitError } from "../../standins/provider";
import { secret } from "../../standins/values";
import { rejection } from "../support/rejection";
import { AnsweringTools, fails, says } from "./support";

const password = "correct-horse";
let stop = new AbortController();
const lab = objects("lab", () => stop.signal);
const kubectlGet = "kubectl --context lab get --ignore-not-found -o json -f -";

function ref(kind: string, name = "it", apiVersion = "v1", namespace = "db"): ObjectRef {
  return { apiVersion, kind, namespace, name };
}

function manifestOf(kind: string, more: object = {}) {
  return { apiVersion: "v1", kind, metadata: { name: "it", namespace: "db" }, ...more };
}

/** As kubectl shows what it was asked for through its input. */
function listOf(...items: readonly object[]): string {
  return says({ apiVersion: "v1", kind: "List", items });
}

const service = manifestOf("Service", { spec: { selector: { app: "it" } } });
const slices = (...endpoints: readonly (object | null)[]) =>
  says({ items: endpoints.map((each) => ({ endpoints: each })) });
const served = slices([{ conditions: { ready: false } }, { conditions: { ready: true } }]);
const notServed = slices(null, [], [{ conditions: { ready: false } }]);

describe("stand-ins: objects by kubectl", () => {
  let tools: AnsweringTools;

  beforeEach(() => {
    tools = new AnsweringTools();
    stop = new AbortController();
  });
  afterEach(() => {
    tools.dispose();
  });

  describe("are applied", () => {
    const manifest = manifestOf("Secret", { stringData: { password } });
    const object: KubeObject = { ...ref("Secret"), manifest };

    it("on the server's side, through standard input, under the manager's name", async () => {
      tools.add("kubectl", { "*apply*": says("secret/it serverside-applied") });
      await lab.apply(object, "pulumi-1", false);
      expect(tools.calls).to.deep.equal([
        "kubectl --context lab apply --server-side --validate=warn --field-manager pulumi-1 -f -",
      ]);
      expect(tools.inputs).to.deep.equal([manifest]);
    });

    it("over another manager's fields only if they shall be", async () => {
      tools.add("kubectl", { "*apply*": "" });
      await lab.apply(object, "pulumi-1", true);
      expect(tools.calls).to.deep.equal([
        "kubectl --context lab apply --server-side --validate=warn --field-manager pulumi-1 --force-conflicts -f -",
      ]);
    });

    it("or not, with kubectl's message", async () => {
      const message = 'error: Apply failed with 1 conflict: conflict with "helm": .spec.replicas';
      tools.add("kubectl", { "*apply*": fails(message) });
      const error = await rejection(lab.apply(object, "pulumi-1", false));
      expect(error).to.be.instanceOf(CommandFailed);
      expect(error.message).to.equal(message);
    });
  });

  describe("are looked up", () => {
    it("by version, kind, namespace and name", async () => {
      const manifest = manifestOf("Secret", { data: { password: "Y29ycmVjdA==" } });
      tools.add("kubectl", { "*get*": listOf(manifest) });
      expect(await lab.get(ref("Secret"))).to.deep.equal({ ...ref("Secret"), manifest, ready: true });
      expect(tools.calls).to.deep.equal([kubectlGet]);
      expect(tools.inputs).to.deep.equal([manifestOf("Secret")]);
    });

    it("without a namespace where they have none", async () => {
      const manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "db" } };
      tools.add("kubectl", { "*get*": listOf(manifest) });
      const found = await lab.get(ref("Namespace", "db", "v1", ""));
      expect(found?.manifest).to.deep.equal(manifest);
      expect(tools.inputs).to.deep.equal([manifest]);
    });

    it("and are not ready while they are on their way", async () => {
      tools.add("kubectl", { "*get*": listOf(manifestOf("Job", { status: { active: 1 } })) });
      expect((await lab.get(ref("Job")))?.ready).to.equal(false);
    });

    it("in vain where there is none, or no such kind", async () => {
      for (const answer of [
        ":",
        fails(
          'error: resource mapping not found for name: "it" namespace: "db" from "STDIN": ' +
            'no matches for kind "SeldonDeployment" in version "machinelearning.seldon.io/v1"',
        ),
        fails("Error from server (NotFound): the server could not find the requested resource"),
      ]) {
        tools.add("kubectl", { "*get*": answer });
        expect(await lab.get(ref("SeldonDeployment")), answer).to.equal(undefined);
      }
    });

    it("or not, with kubectl's message", async () => {
      const message = "Unable to connect to the server: dial tcp 127.0.0.1:6443: connect: connection refused";
      tools.add("kubectl", { "*get*": fails(message) });
      expect((await rejection(lab.get(ref("Secret")))).message).to.equal(message);
    });
  });

  describe("of kind Service", () => {
    const isReady = async (found: object, endpoints: string) => {
      tools.add("kubectl", { "*endpointslices*": endpoints, "*get*": listOf(found) });
      return (await lab.get(ref("Service")))?.ready;
    };

    it("are ready when a pod that is ready stands behind them", async () => {
      expect(await isReady(service, served)).to.equal(true);
      expect(await isReady(service, slices([{}]))).to.equal(true);
      expect(await isReady(service, notServed)).to.equal(false);
      expect(await isReady(service, says({ items: [] }))).to.equal(false);
      expect(tools.calls.slice(0, 2)).to.deep.equal([
        kubectlGet,
        "kubectl --context lab get endpointslices -o json -n db -l kubernetes.io/service-name=it",
      ]);
    });

    it("are ready without pods where somebody else fills them", async () => {
      for (const spec of [{ type: "ExternalName" }, { selector: {} }])
        expect(await isReady(manifestOf("Service", { spec }), fails("not asked"))).to.equal(true);
    });
  });

  describe("are waited for", () => {
    const dateNow = Date.now;

    afterEach(() => {
      Date.now = dateNow;
    });

    it("until they are ready", async () => {
      const job = (type: string) =>
        listOf(manifestOf("Job", { status: { conditions: [{ type, status: "True" }] } }));
      tools.add("kubectl", { "*get*": tools.firstThen(job("Suspended"), job("Complete")) });
      await lab.ready(ref("Job"));
      expect(tools.calls).to.deep.equal([kubectlGet, kubectlGet]);
    });

    it("until they are deleted", async () => {
      tools.add("kubectl", { "*get*": tools.firstThen(listOf(manifestOf("Job")), ":") });
      expect((await rejection(lab.ready(ref("Job")))).message).to.equal(
        "it was deleted while it was waited for",
      );
    });

    it("until the engine is told to stop", async () => {
      tools.add("kubectl", { "*get*": listOf(manifestOf("Job")) });
      const waiting = rejection(lab.ready(ref("Job")));
      stop.abort(new Error("the engine was told to stop"));
      expect((await waiting).message).to.equal("the engine was told to stop");
    });

    it("until the time is over", async () => {
      let now = 0;
      Date.now = () => (now += 8 * 60_000);
      tools.add("kubectl", { "*endpointslices*": notServed, "*get*": listOf(service) });
      expect((await rejection(lab.ready(ref("Service")))).message).to.equal(
        "timed out: no pod that is ready stands behind it",
      );
      expect(tools.calls.filter((call) => call === kubectlGet)).to.have.length(2);
    });

    const failedJob = listOf(
      manifestOf("Job", {
        status: {
          conditions: [{ type: "Failed", status: "True", reason: "DeadlineExceeded", message: "Too long" }],
        },
      }),
    );

    it("until they fail, with what a Job's pods wrote last", async () => {
      tools.add("kubectl", { "*logs*": says("Traceback:\n  no disk\n"), "*get*": failedJob });
      expect((await rejection(lab.ready(ref("Job")))).message).to.equal(
        "DeadlineExceeded: Too long\nTraceback:\n  no disk",
      );
      expect(tools.calls.at(-1)).to.equal("kubectl --context lab logs job/it -n db --tail 12");
    });

    it("until they fail, where nothing was written or can be read", async () => {
      for (const logs of [says(""), fails("error: timed out waiting for the condition")]) {
        tools.add("kubectl", { "*logs*": logs, "*get*": failedJob });
        expect((await rejection(lab.ready(ref("Job")))).message).to.equal("DeadlineExceeded: Too long");
      }
    });

    it("until a Deployment fails, whose log is nobody's to ask for", async () => {
      const stuck = { type: "Progressing", reason: "ProgressDeadlineExceeded", message: "no progress" };
      tools.add("kubectl", {
        "*get*": listOf({
          ...manifestOf("Deployment"),
          metadata: { generation: 1 },
          status: { observedGeneration: 1, conditions: [stuck] },
        }),
      });
      expect((await rejection(lab.ready(ref("Deployment")))).message).to.equal("no progress");
      expect(tools.calls).to.deep.equal([kubectlGet]);
    });
  });

  describe("are removed", () => {
    const remove = (kind: string, apiVersion = "v1", annotations = {}) =>
      lab.remove({
        ...ref(kind, "it", apiVersion),
        manifest: { apiVersion, kind, metadata: { name: "it", namespace: "db", annotations } },
      });

    it("with all that is theirs, and waited for", async () => {
      tools.add("kubectl", { "*delete*": says("secret/it deleted") });
      await remove("Secret");
      expect(tools.calls).to.deep.equal([
        "kubectl --context lab delete --cascade=foreground --wait --timeout=10m --ignore-not-found -f -",
      ]);
      expect(tools.inputs).to.deep.equal([manifestOf("Secret")]);
    });

    it("before what is theirs where they ask for that", async () => {
      tools.add("kubectl", { "*delete*": says("seldondeployment/it deleted") });
      await remove("X", "y/v1", { "pulumi.com/deletionPropagationPolicy": "background" });
      expect(tools.calls).to.deep.equal([
        "kubectl --context lab delete --cascade=background --wait --timeout=10m --ignore-not-found -f -",
      ]);
    });

    it("also where their kind has gone before", async () => {
      tools.add("kubectl", { "*delete*": fails('error: no matches for kind "X" in version "y/v1"') });
      await remove("X", "y/v1");
      expect(tools.calls).to.have.length(1);
    });

    it("or not, with kubectl's message", async () => {
      const message = "error: timed out waiting for the condition on secrets/it";
      tools.add("kubectl", { "*delete*": fails(message) });
      expect((await rejection(remove("Secret"))).message).to.equal(message);
    });
  });

  describe("behind the provider", () => {
    const provider = kubernetesProvider(kubectlBackend("lab"), "4.34.2");
    const resource = (kind: string) => ({ urn: "", type: `kubernetes:core/v1:${kind}`, name: "it" });
    const annotated = {
      ...service,
      metadata: { ...service.metadata, annotations: { "pulumi.com/skipAwait": "true" } },
    };

    it("are created without being waited for where they ask for that", async () => {
      tools.add("kubectl", { "*get*": ":", "*apply*": "" });
      expect((await provider.create(resource("Service"), annotated)).id).to.equal("db/it");
      expect(tools.calls).to.have.length(2);
    });

    it("are not created where they are already", async () => {
      tools.add("kubectl", { "*get*": listOf(service) });
      const error = await rejection(provider.create(resource("Service"), service));
      expect(error.message).to.equal('Service "it" already exists');
    });

    it("are created and waited for otherwise", async () => {
      const endpoints = tools.firstThen(notServed, served);
      const get = tools.firstThen(":", listOf(service));
      tools.add("kubectl", { "*apply*": "", "*endpointslices*": endpoints, "*get*": get });
      expect((await provider.create(resource("Service"), service)).id).to.equal("db/it");
      expect(tools.calls.map((call) => call.split(" ")[3])).to.deep.equal([
        "get",
        "apply",
        "get",
        "get",
        "get",
        "get",
      ]);
    });

    it("are kept with the error where they do not become ready", async () => {
      tools.add("kubectl", { "*apply*": "", "*get*": ":" });
      const error = await rejection(provider.create(resource("Service"), service));
      expect(error).to.be.instanceOf(InitError);
      expect(error.message).to.equal(
        'the Kubernetes API server reported that "db/it" failed to fully initialize or become live: ' +
          "it was deleted while it was waited for",
      );
    });

    it("show no secret in any argument", async () => {
      const given = { ...manifestOf("Secret"), stringData: secret({ password }) };
      const get = tools.firstThen(":", listOf(manifestOf("Secret")));
      tools.add("kubectl", { "*apply*": "", "*get*": get, "*delete*": "" });
      const { id, outputs } = await provider.create(resource("Secret"), given);
      const known = { ...resource("Secret"), id, inputs: given, outputs };
      await provider.update(known, given);
      await provider.read(known);
      await provider.remove(known);
      expect(tools.calls.join("\n")).not.to.contain(password);
      const applied = manifestOf("Secret", { stringData: { password } });
      expect(tools.inputs.filter((input) => "stringData" in (input as object))).to.deep.equal([
        applied,
        applied,
      ]);
    });

    it("are those of one context only", () => {
      expect(() => provider.configure?.({ context: "prod" })).to.throw(
        "the stand-in providers change context lab, and the program names prod",
      );
      for (const context of ["lab", ""]) expect(() => provider.configure?.({ context })).not.to.throw();
    });
  });
});

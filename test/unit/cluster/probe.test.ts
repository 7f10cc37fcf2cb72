import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { type Probe, askFromPod } from "../../../cli/cluster/probe";
import { Interrupted } from "../../../cli/errors";
import { identify } from "../../../cli/ownProcesses";
import { temporaryFolder } from "../engine/support";
import { rejection } from "../support/rejection";
import { type FakeApi, fakeApi } from "./support/fakeApi";

const namespaces = "/api/v1/namespaces";
const own = `${namespaces}/mlplatform-probe-x`;
const pods = `${own}/pods`;
const pod = `${pods}/probe`;
const removed = `DELETE ${own}`;

describe("a question that a pod answers", function () {
  this.timeout(20_000);
  let api: FakeApi;
  let probe: Probe;
  let told: string[];

  before(async () => {
    api = await fakeApi({});
    const script = path.join(temporaryFolder(), "ask.py");
    writeFileSync(script, "print(1)\n");
    probe = { image: "mirror/mlflow:1", scripts: [script], question: { password: "hidden" }, patience: 20 };
  });
  after(() => api.close());
  beforeEach(() => {
    told = [];
    api.changes.length = 0;
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    Object.assign(api.answers, {
      [namespaces]: { metadata: { name: "mlplatform-probe-x" } },
      [own]: {},
      [`${own}/secrets`]: { metadata: { name: "probe" } },
      [pods]: { metadata: { name: "probe" } },
      [pod]: { metadata: { name: "probe" }, status: { phase: "Succeeded" } },
      [`${pod}/log`]: 'a warning\n{"facts":[]}\n',
    });
  });

  const ask = (over: Partial<Probe> = {}, signal = new AbortController().signal) =>
    askFromPod(api.cluster, { ...probe, ...over }, { detail: (text) => told.push(text) }, signal);
  /** Answers an address anew each time that it is asked. */
  const answer = (address: string, next: () => unknown) => {
    Object.defineProperty(api.answers, address, { get: next, enumerable: true, configurable: true });
  };

  it("is put to a pod in a namespace of its own, which is removed", async () => {
    expect(await ask()).to.deep.equal({ facts: [] });
    const kinds = api.changes.map((change) => change.split(" ", 2).join(" "));
    expect(kinds).to.deep.equal([`POST ${namespaces}`, `POST ${own}/secrets`, `POST ${pods}`, removed]);
    const [namespace = "", secret, made = ""] = api.changes;
    expect(namespace).to.include('"pod-security.kubernetes.io/enforce":"restricted"');
    expect(secret).to.include("hidden").and.include("print(1)");
    expect(made).to.include('"image":"mirror/mlflow:1"').and.include('"activeDeadlineSeconds":20');
    expect([namespace, made].join()).not.to.include("hidden");
  });

  it("waits for the namespace's service account", async () => {
    let asked = 0;
    const missing = 'pods "probe" is forbidden: serviceaccount "default" not found';
    answer(pods, () =>
      (asked += 1) < 3 ? [403, { kind: "Status", message: missing }] : { metadata: { name: "probe" } },
    );
    expect(await ask()).to.deep.equal({ facts: [] });
    expect(asked).to.equal(3);
  });

  const refused = (address: string, message: string) => {
    api.answers[address] = [403, { kind: "Status", message }];
    return rejection(ask());
  };

  it("is refused where the user may make no namespaces or no pods", async () => {
    const namespace = await refused(namespaces, "namespaces is forbidden");
    expect([namespace.name, namespace.message]).to.deep.equal(["Refused", "namespaces is forbidden"]);
    expect(api.changes).to.not.include(removed);
    api.answers[namespaces] = { metadata: { name: "mlplatform-probe-x" } };
    expect((await refused(pods, "pods is forbidden")).message).to.equal("pods is forbidden");
    expect(api.changes).to.include(removed);
  });

  it("is not answered by a script that fails, whose last words are told", async () => {
    api.answers[`${pod}/log`] = "Traceback (most recent call last):\nKeyError: 'host'\n";
    expect((await rejection(ask())).message).to.equal("the pod says: KeyError: 'host'");
  });

  const waiting = (reason: string, message: string, age: number) => ({
    metadata: { name: "probe", uid: "u", namespace: "mlplatform-probe-x" },
    spec: { nodeName: "n", containers: [{ name: "main", image: "mirror/mlflow:1" }] },
    status: {
      phase: "Pending",
      startTime: new Date(Date.now() - age).toISOString(),
      containerStatuses: [
        {
          name: "main",
          image: "mirror/mlflow:1",
          ready: false,
          restartCount: 0,
          state: { waiting: { reason, message } },
        },
      ],
    },
  });

  it("is given up as soon as the cluster knows that the pod will not come", async () => {
    const lost = waiting("ImagePullBackOff", "manifest unknown", 60_000);
    Object.assign(api.answers, { [pod]: lost });
    answer(pods, () => ({ metadata: { name: "probe" }, items: [lost] }));
    expect((await rejection(ask())).message).to.match(/^image mirror\/mlflow:1 does not exist .*pushed/);
    expect(told.at(-1)).to.match(/^image mirror\/mlflow:1 does not exist/);
    expect(api.changes.at(-1)).to.equal(removed);
  });

  it("is given up when its time is over, with what it was waiting for", async () => {
    const running = { metadata: { name: "probe" }, status: { phase: "Running" } };
    api.answers[pod] = running;
    expect((await rejection(ask({ patience: 0.5 }))).message).to.equal(
      "no answer within 0.5 s: the pod is asking",
    );
    expect(api.changes.at(-1)).to.equal(removed);
  });

  it("ends with the command, and leaves nothing", async () => {
    const stop = new AbortController();
    const reason = new Interrupted("SIGINT");
    answer(pod, () => {
      stop.abort(reason);
      return { metadata: { name: "probe" }, status: { phase: "Running" } };
    });
    expect(await rejection(ask({}, stop.signal))).to.equal(reason);
    expect(api.changes.at(-1)).to.equal(removed);
  });

  it("removes first what killed commands have left, and what nobody waits for any more", async () => {
    const started = identify(process.pid)?.started;
    const [past, future] = [-1, 1].map((sign) => new Date(Date.now() + sign * 60_000).toISOString());
    const owners = {
      works: { host: hostname(), pid: process.pid, started, until: future },
      killed: { host: hostname(), pid: process.pid, started: "before", until: future },
      elsewhere: { host: "other", pid: 1, started: "x", until: future },
      late: { host: "other", pid: 1, started: "x", until: past },
    };
    const items = Object.entries(owners).map(([name, owner]) => ({
      metadata: { name, annotations: { "mlplatform/started-by": JSON.stringify(owner) } },
    }));
    api.answers[`${namespaces}?labelSelector=app.kubernetes.io/name=mlplatform-probe`] = { items };
    await ask();
    expect(api.changes.slice(0, 2)).to.deep.equal(
      ["killed", "late"].map((name) => `DELETE ${namespaces}/${name}`),
    );
    expect(api.changes.filter((change) => change.startsWith("DELETE"))).to.have.length(3);
  });
});

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import {
  containerSecurity,
  createSecret,
  fromSecret,
  onceReady,
  podSecurity,
  requirements as asKubernetes,
  scratch,
  serviceHost,
} from "../../../components/kubernetes";
import { mergeValues, misfits } from "../../../components/values";
import { createPassword } from "../../../components/passwords";
import { consume, create } from "./support/created";
import { asUser, ownership, requirements, resources, withoutRights } from "./support/surroundings";

describe("mergeValues", () => {
  it("merges groups key by key", () => {
    const base = { a: { b: 1, c: { d: 2 } }, e: 3 };
    expect(mergeValues(base, { a: { c: { f: 4 } }, g: 5 })).to.deep.equal({
      a: { b: 1, c: { d: 2, f: 4 } },
      e: 3,
      g: 5,
    });
  });

  it("takes lists as a whole", () => {
    expect(mergeValues({ a: [1, 2, 3] }, { a: [4] })).to.deep.equal({ a: [4] });
  });

  it("tells where a group, or a list that is added to, would be taken away", () => {
    const base = { a: { b: 1 }, empty: {}, list: [1], other: [1], c: { d: { e: 1 } } };
    const over = { a: null, empty: 3, list: "x", other: "x", c: { d: 5, f: 1 }, g: null };
    expect(misfits(base, over, [["list"]])).to.deep.equal(["a", "list", "c.d"]);
    expect(misfits(base, { a: { b: null }, list: [2] }, [["list"]])).to.deep.equal([]);
  });

  it("adds to lists that the platform needs its own entries of, known or not", async () => {
    const own = { a: { b: [1] }, c: pulumi.output([2]), d: [3] };
    const { a, c, d } = mergeValues(own, { a: { b: [4] }, c: [5], d: [6] }, [["a", "b"], ["c"], ["e"]]);
    expect({ a, d }).to.deep.equal({ a: { b: [1, 4] }, d: [6] });
    expect(await new Promise((resolve) => (c as pulumi.Output<number[]>).apply(resolve))).to.deep.equal([
      2, 5,
    ]);
  });

  it("lets a group take the place of something else, and the other way round", () => {
    expect(mergeValues({ a: 1, b: { c: 2 }, d: [1] }, { a: { x: 1 }, b: 3, d: { y: 1 } })).to.deep.equal({
      a: { x: 1 },
      b: 3,
      d: { y: 1 },
    });
  });

  it("passes on null, which takes a default of the chart away, and false, 0 and the empty text", () => {
    const over = { a: null, b: false, c: 0, d: "" };
    expect(mergeValues({ a: { x: 1 }, b: true, c: 1, d: "d" }, over)).to.deep.equal(over);
  });

  it("takes an output as a whole, whatever it holds", () => {
    const [own, given] = [pulumi.output({ x: 1 }), pulumi.output({ y: 2 })];
    expect(mergeValues({ a: own, b: { z: 1 } }, { a: { y: 2 }, b: given })).to.deep.equal({
      a: { y: 2 },
      b: given,
    });
  });

  it("changes neither of what it merges", () => {
    const [base, over] = [{ a: { b: 1 } }, { a: { c: 2 } }];
    mergeValues(base, over);
    expect([base, over]).to.deep.equal([{ a: { b: 1 } }, { a: { c: 2 } }]);
  });
});

describe("what manifests have in common", () => {
  it("a pod is a user without rights, who may write to its volumes", () => {
    expect(podSecurity(1234)).to.deep.equal(asUser(1234));
  });

  it("a container has no rights and cannot write to its root file system, but to /tmp", () => {
    expect(containerSecurity).to.deep.equal(withoutRights);
    expect(scratch).to.deep.equal({
      volumes: [{ name: "tmp", emptyDir: {} }],
      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
    });
  });

  it("a container asks for CPU and memory, and is limited in memory alone", () => {
    expect(asKubernetes(resources)).to.deep.equal(requirements);
  });

  it("a variable comes from a key of a Secret", () => {
    expect(fromSecret("TOKEN", "service", "token")).to.deep.equal({
      name: "TOKEN",
      valueFrom: { secretKeyRef: { name: "service", key: "token" } },
    });
  });
});

describe("createSecret", () => {
  it("makes a Secret whose content is secret, and tells its name, which waits for it", async () => {
    const created = await create(() => {
      const password = createPassword("word", {});
      consume("user", createSecret("it", "keys", "n", { plain: "p", password }, {}));
    });
    expect(created.inputs("Secret")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "keys", namespace: "n", labels: ownership },
      stringData: { plain: "p", password: "made-up-word-result" },
    });
    expect(created.one("Secret").secretPaths).to.deep.equal([
      "stringData",
      "stringData.password",
      "stringData.plain",
    ]);
    expect(created.inputs("ConfigMap")["data"]).to.deep.equal({ value: "keys" });
    expect(created.dependencies("ConfigMap")).to.deep.equal(["Secret it"]);
  });
});

describe("onceReady", () => {
  const program = () => {
    const password = createPassword("word", {});
    const first = consume("first", "1");
    consume("user", onceReady(first, serviceHost("thing", pulumi.output("n"))));
    return { host: onceReady(first, serviceHost("thing", "n")), password: onceReady(first, password) };
  };

  it("is known in a preview, and waits for the resource", async () => {
    const created = await create(program, {}, { preview: true });
    expect(created.outputs["host"]).to.equal("thing.n.svc.cluster.local");
    expect(created.inputs("ConfigMap", "user")["data"]).to.deep.equal({ value: "thing.n.svc.cluster.local" });
    expect(created.dependencies("ConfigMap", "user")).to.deep.equal(["ConfigMap first"]);
  });

  it("keeps a secret secret", async () => {
    expect((await create(program)).secretOutputs).to.deep.equal(["password"]);
  });
});

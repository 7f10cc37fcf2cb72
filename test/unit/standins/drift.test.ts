import { expect } from "chai";

import { asWritten } from "../../standins/drift";

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("drift: a live object as its writer would write it", () => {
  it("leaves out what the API server and controllers have added, at every depth", () => {
    const written = {
      kind: "Deployment",
      metadata: { name: "it" },
      spec: { replicas: 2, template: { spec: { containers: [{ name: "main", image: "it:1" }] } } },
    };
    const live = {
      kind: "Deployment",
      metadata: {
        name: "it",
        uid: "1",
        generation: 3,
        annotations: { "deployment.kubernetes.io/revision": "1" },
      },
      spec: {
        replicas: 2,
        strategy: { type: "RollingUpdate" },
        template: {
          spec: {
            containers: [{ name: "main", image: "it:1", imagePullPolicy: "Always" }],
            dnsPolicy: "ClusterFirst",
          },
        },
      },
      status: { replicas: 2 },
    };
    expect(asWritten(live, written)).to.deep.equal(written);
  });

  it("shows the values that somebody has changed or removed", () => {
    expect(
      asWritten(
        { spec: { replicas: 5, paused: true, selector: "other" } },
        { spec: { replicas: 2, template: "it", selector: { app: "it" } } },
      ),
    ).to.deep.equal({ spec: { replicas: 5, selector: "other" } });
  });

  it("shows a list with more or fewer entries as it is, and others entry by entry", () => {
    const written = { ports: [{ port: 80 }], args: ["a", "b"] };
    expect(asWritten({ ports: [{ port: 80, protocol: "TCP" }], args: ["a", "c"] }, written)).to.deep.equal({
      ports: [{ port: 80 }],
      args: ["a", "c"],
    });
    expect(
      asWritten({ ports: [{ port: 80, protocol: "TCP" }, { port: 81 }], args: ["a"] }, written),
    ).to.deep.equal({ ports: [{ port: 80, protocol: "TCP" }, { port: 81 }], args: ["a"] });
  });

  it("keeps what was written empty, which the API server leaves out", () => {
    const written = { podSelector: {}, ingress: [], policyTypes: ["Ingress"] };
    expect(asWritten({ policyTypes: ["Ingress"] }, written)).to.deep.equal(written);
    expect(
      asWritten({ podSelector: { app: "it" }, policyTypes: ["Ingress"] }, { podSelector: {} }),
    ).to.deep.equal({ podSelector: {} });
  });

  it("reads a Secret's texts from its data, those that were written", () => {
    const live = { kind: "Secret", data: { password: base64("später"), token: base64("made by another") } };
    expect(asWritten(live, { kind: "Secret", stringData: { password: "before" } })).to.deep.equal({
      kind: "Secret",
      stringData: { password: "später" },
    });
  });

  it("misses a text that somebody has removed from a Secret", () => {
    const live = { data: { user: base64("me") } };
    expect(asWritten(live, { stringData: { user: "me", password: "p" } })).to.deep.equal({
      stringData: { user: "me" },
    });
  });

  it("leaves a Secret's data in base64 where they were written so", () => {
    const written = { data: { password: base64("p") } };
    expect(asWritten({ data: { password: base64("q") } }, written)).to.deep.equal({
      data: { password: base64("q") },
    });
  });

  it("takes over, for an import, all but the status and what is the server's", () => {
    const metadata = { name: "it", namespace: "default", labels: { app: "it" } };
    const server = {
      creationTimestamp: "2026-11-25T10:00:00Z",
      generation: 1,
      managedFields: [],
      resourceVersion: "17",
      uid: "1",
    };
    const live = { kind: "Service", metadata: { ...metadata, ...server }, spec: { ports: [] }, status: {} };
    expect(asWritten(live, {})).to.deep.equal({ kind: "Service", metadata, spec: { ports: [] } });
  });
});

import { expect } from "chai";

import type { NamespaceView } from "../../../cli/cluster/diagnosis/scene";
import { at, event, findings, meta, pod, told } from "./support";

const tail =
  ". no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

describe("diagnosis of scheduling", () => {
  const node: NamespaceView["nodes"][number] = {
    status: { allocatable: { cpu: "2", memory: "24478856Ki" } },
  };
  const pending = (message: string, requests = {}, nodeSelector = {}) =>
    pod("a", {
      spec: {
        containers: [{ name: "main", resources: { requests } }],
        nodeSelector,
        nodeName: undefined as never,
      },
      status: {
        phase: "Pending",
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message,
            lastTransitionTime: at(1),
          },
        ],
      },
    });
  const of = (message: string, requests = {}, seconds = 21) =>
    told({ pods: [pending(message, requests)], nodes: [node] }, seconds);
  const mend = "Give the cluster more, or ask for less in the stack configuration.";

  it("tells how much is asked for and how much there is, after 20 s for good", () => {
    const cpu = `0/1 nodes are available: 1 Insufficient cpu${tail}`;
    expect(of(cpu, { cpu: "64" }, 3)).to.deep.equal([
      `pod a finds no room: it asks for 64 CPU, and the node has 2 CPU → ${mend}`,
    ]);
    expect(of(cpu, { cpu: "1500m" })).to.deep.equal([
      `! pod a finds no room: it asks for 1.5 CPU, and the node has 2 CPU, too much of it taken → ${mend}`,
    ]);
    expect(
      of(`0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory${tail}`, {
        cpu: 3,
        memory: "500Gi",
      }),
    ).to.deep.equal([
      `! pod a finds no room: it asks for 3 CPU, and the node has 2 CPU; it asks for 500 GiB of memory, and the node has 23.3 GiB of memory → ${mend}`,
    ]);
    expect(
      of(`0/1 nodes are available: 1 Insufficient nvidia.com/gpu${tail}`, { "nvidia.com/gpu": "1" }),
    ).to.deep.equal([`! pod a finds no room: it asks for 1 nvidia.com/gpu, and no node has any → ${mend}`]);
  });

  it("does not know the nodes of a cluster that hides them", () => {
    const pods = [pending(`0/3 nodes are available: 3 Insufficient memory${tail}`, { memory: "1Gi" })];
    expect(told({ pods }, 21)).to.deep.equal([
      `! pod a finds no room: it asks for 1 GiB of memory, more than any node has free → ${mend}`,
    ]);
  });

  it("waits for an old pod that is leaving, a new node, and a node that gets well", () => {
    const message = `0/1 nodes are available: 1 Insufficient cpu${tail}`;
    const leaving = pod("old", { metadata: { deletionTimestamp: at(0) } });
    expect(findings({ pods: [pending(message), leaving] }, 60)[0]?.severity).to.equal("warning");
    const events = [event("a", "TriggeredScaleUp", "pod triggered scale-up", { from: 5 })];
    expect(told({ pods: [pending(message)], events }, 60)).to.deep.equal([
      "pod a waits for a new node, which is on its way",
    ]);
    expect(
      of(
        "0/1 nodes are available: 1 node(s) had untolerated taint(s) {node.kubernetes.io/not-ready: }",
        {},
        60,
      ),
    ).to.deep.equal(["pod a finds no node: the node is not ready"]);
  });

  it("waits for a Job's pod that will end, where there is room then", () => {
    const ownerReferences = [
      { apiVersion: "batch/v1", kind: "Job", name: "train", uid: "1", controller: true },
    ];
    const message = `0/1 nodes are available: 1 Insufficient cpu${tail}`;
    const severity = (cpu: string, phase: string, owners = ownerReferences) => {
      const other = pod("train", { metadata: { ownerReferences: owners }, status: { phase } });
      return findings({ pods: [pending(message, { cpu }), other], nodes: [node] }, 60)[0]?.severity;
    };
    expect(severity("500m", "Running")).to.equal("warning");
    expect(severity("500m", "Succeeded")).to.equal("error");
    expect(severity("64", "Running")).to.equal("error");
    expect(severity("500m", "Running", [])).to.equal("error");
  });

  it("tells labels, taints, a cordon and a full disk", () => {
    const message = `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector${tail}`;
    expect(told({ pods: [pending(message, {}, { disk: "ssd" })] }, 21)).to.deep.equal([
      "! pod a finds no node: none has the labels that it selects by (disk=ssd) → Label a node so (kubectl label node), or change what is selected.",
    ]);
    expect(of("0/1 nodes are available: 1 node(s) had untolerated taint {team: ml}.")).to.deep.equal([
      "! pod a finds no node: a taint keeps it away (team: ml) → Remove the taint, or let the pod tolerate it.",
    ]);
    expect(of("0/1 nodes are available: 1 node(s) were unschedulable.")).to.deep.equal([
      "! pod a finds no node: it is cordoned off → Let it take pods again: kubectl uncordon NODE",
    ]);
    expect(
      of("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }."),
    ).to.deep.equal([
      "! pod a finds no node: the node's disk is full → Free space on the node's disk: docker system prune",
    ]);
  });

  it("tells a claim that is missing or not bound, and leaves it to the claim's own finding", () => {
    expect(of('0/1 nodes are available: persistentvolumeclaim "data" not found. not found')).to.deep.equal([
      "! pod a waits for PersistentVolumeClaim data, which does not exist → What is there: kubectl -n ns get persistentvolumeclaims",
    ]);
    const message = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
    expect(of(message)).to.deep.equal([
      "! pod a waits for a volume: one of its PersistentVolumeClaims is not bound → See why: kubectl -n ns describe persistentvolumeclaims",
    ]);
    const waits = pending(message);
    const user = {
      ...waits,
      metadata: meta("a", {
        labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "db" },
      }),
      spec: { containers: [], volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }] },
    };
    const claim = {
      metadata: meta("data"),
      spec: { storageClassName: "fast" },
      status: { phase: "Pending" },
    };
    const found = findings(
      { pods: [user], claims: [claim], storageClasses: [{ metadata: meta("standard"), provisioner: "" }] },
      21,
    );
    expect(found.map(({ object, release }) => [object.kind, release])).to.deep.equal([
      ["PersistentVolumeClaim", "db"],
    ]);
  });

  it("has nothing to say of a pod that the scheduler has not looked at, but that it waits", () => {
    const { metadata = {} } = pending("");
    expect(
      told({ pods: [{ metadata, spec: { containers: [] }, status: { phase: "Pending" } }] }, 60),
    ).to.deep.equal(["pod a waits for a place on a node"]);
  });
});

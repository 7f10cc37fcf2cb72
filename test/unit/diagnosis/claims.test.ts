import { expect } from "chai";

import type { NamespaceView } from "../../../cli/cluster/diagnosis/scene";
import { event, meta, told } from "./support";

describe("diagnosis of volumes", () => {
  const isDefault = { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
  const classes = [
    { metadata: meta("standard", isDefault), provisioner: "rancher.io/local-path" },
    { metadata: meta("local-path"), provisioner: "rancher.io/local-path" },
  ];
  const claim = (storageClassName?: string, phase = "Pending") => ({
    metadata: meta("data"),
    spec: storageClassName === undefined ? {} : { storageClassName },
    status: { phase },
  });
  const of = (
    claims: NamespaceView["claims"],
    seconds: number,
    storageClasses: NamespaceView["storageClasses"] = classes,
    events: NamespaceView["events"] = [],
  ) => told({ claims, storageClasses, events }, seconds);

  it("tells a class that does not exist, after 10 s for good", () => {
    const text =
      "PersistentVolumeClaim data asks for storage class fast, which does not exist → Use one that does (local-path, standard) in the stack configuration.";
    expect(of([claim("fast")], 2)).to.deep.equal([text]);
    expect(of([claim("fast")], 10)).to.deep.equal([`! ${text}`]);
  });

  it("tells that there is no class, and no default one", () => {
    expect(of([claim("")], 10)).to.deep.equal([
      "! PersistentVolumeClaim data asks for a volume without a storage class, and none fits → Set a storage class in the stack configuration, or make a PersistentVolume that fits.",
    ]);
    expect(of([claim()], 10, classes.slice(1))).to.deep.equal([
      "! PersistentVolumeClaim data names no storage class, and the cluster has no default one → Set one in the stack configuration (local-path), or make one the default.",
    ]);
    expect(of([claim()], 10, [])).to.deep.equal([
      "! PersistentVolumeClaim data names no storage class, and the cluster has no default one → Set one in the stack configuration (the cluster has none), or make one the default.",
    ]);
  });

  it("does not take classes that it cannot see for none", () => {
    expect(told({ claims: [claim(), claim("fast")] }, 60)).to.deep.equal([]);
  });

  it("tells why a provisioner fails, and waits for one that is at work", () => {
    const failed = event(
      "data",
      "ProvisioningFailed",
      'failed to provision volume with StorageClass "standard": NodePath only supports ReadWriteOnce access modes',
      { from: 2, to: 40, count: 3 },
    );
    const external = event(
      "data",
      "ExternalProvisioning",
      "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator.",
      { from: 1, to: 50 },
    );
    expect(of([claim("standard")], 22, classes, [external, failed])).to.deep.equal([
      "! PersistentVolumeClaim data gets no volume: NodePath only supports ReadWriteOnce access modes → Check the storage class, and that its provisioner is well.",
    ]);
    expect(of([claim("standard")], 60, classes, [external])).to.deep.equal([
      "PersistentVolumeClaim data waits for its volume for 60 s; ebs.csi.aws.com is to make it → If it takes long: check that the storage class's provisioner runs.",
    ]);
  });

  it("tells a volume that is lost", () => {
    expect(of([claim("standard", "Lost")], 60)).to.deep.equal([
      "! PersistentVolumeClaim data has lost its volume → Bring the volume back, or delete the claim, and restore the data.",
    ]);
  });

  it("says nothing of a claim that is bound, or waits for its first pod", () => {
    const waits = event(
      "data",
      "WaitForFirstConsumer",
      "waiting for first consumer to be created before binding",
      {
        from: 1,
      },
    );
    expect(of([claim("standard")], 600, classes, [waits])).to.deep.equal([]);
    expect(of([claim("standard", "Bound")], 600)).to.deep.equal([]);
  });
});

import type { V1Pod } from "@kubernetes/client-node";
import { expect } from "chai";

import type { Live } from "../../../cli/cluster/cluster";
import { type DiskSpace, mountsOf, spaceIn } from "../../../cli/cluster/diskSpace";
import { volumeItems } from "../../../cli/status/volumes";
import { fakeApi } from "../cluster/support/fakeApi";

describe("the space of volumes", () => {
  it("is read from what df says, and from nothing else", () => {
    const said =
      "Filesystem     1024-blocks   Used Available Capacity Mounted on\n/dev/sda1  5000 4000 1000 80% /data\n";
    expect(spaceIn(said)).to.deep.equal({ size: 5000 * 1024, free: 1000 * 1024 });
    for (const other of ["", "df: /data: No such file or directory\n", "Filesystem\n- - - - /data\n"])
      expect(spaceIn(other), other).to.equal(undefined);
  });

  it("is asked of one container that runs and has the claim mounted", () => {
    const container = (name: string, volume: string) => ({
      name,
      volumeMounts: [{ name: volume, mountPath: `/${name}` }],
    });
    const pod = {
      metadata: { namespace: "ns", name: "pod" },
      spec: {
        volumes: [
          { name: "data", persistentVolumeClaim: { claimName: "claim" } },
          { name: "tmp", emptyDir: {} },
        ],
        containers: [
          container("waits", "data"),
          container("runs", "data"),
          container("also", "data"),
          container("not", "tmp"),
        ],
      },
      status: {
        containerStatuses: ["runs", "also", "not"].map((name) => ({ name, state: { running: {} } })),
      },
    } as unknown as Live<V1Pod>;
    expect(mountsOf(pod)).to.deep.equal([
      { claim: "ns/claim", namespace: "ns", pod: "pod", container: "runs", path: "/runs" },
    ]);
  });

  it("is shown, and marked where little or nothing is left", async () => {
    const api = await fakeApi({
      "/api/v1/namespaces/ns/persistentvolumeclaims": {
        items: [
          {
            metadata: { namespace: "ns", name: "data" },
            spec: { storageClassName: "standard" },
            status: { phase: "Bound", capacity: { storage: "5Gi" } },
          },
        ],
      },
    });
    const shown = async (free?: number) => {
      const spaces = new Map<string, DiskSpace>(
        free === undefined ? [] : [["ns/data", { size: 2 ** 30, free }]],
      );
      const [item] = await volumeItems(api.cluster, ["ns"], () => Promise.resolve(spaces));
      return `${item?.health ?? ""} ${item?.state ?? ""}: ${item?.detail ?? ""}`;
    };
    expect(await shown()).to.equal("well Bound: 5Gi of class standard");
    expect(await shown(2 ** 29)).to.equal("well Bound: 5Gi of class standard, 512 MiB of 1 GiB free");
    expect(await shown(2 ** 26)).to.equal("warning nearly full: 5Gi of class standard, 64 MiB of 1 GiB free");
    expect(await shown(0)).to.equal("ill full: 5Gi of class standard, 0 MiB of 1 GiB free");
    await api.close();
  });
});

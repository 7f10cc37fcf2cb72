import type { V1PersistentVolumeClaim, V1StatefulSet, V1StorageClass } from "@kubernetes/client-node";
import { expect } from "chai";

import type { Live } from "../../../cli/cluster/cluster";
import { versionProblems, volumeProblems } from "../../../cli/preflight/deployedData";

const storage = (size: string) => ({ resources: { requests: { storage: size } } });
const claim = (size: string, name = "data-postgresql-0") =>
  ({
    metadata: { name },
    spec: { ...storage(size), storageClassName: "standard" },
  }) as unknown as Live<V1PersistentVolumeClaim>;
const set = (size: string, image = "docker.io/library/postgres:18.6@sha256:ab") =>
  ({
    metadata: { name: "postgresql" },
    spec: {
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: storage(size) }],
      template: { spec: { containers: [{ image }] } },
    },
  }) as unknown as Live<V1StatefulSet>;
const ready = (image?: string): Live<V1StatefulSet> => ({
  ...set("2Gi", image),
  status: { replicas: 1, readyReplicas: 1 },
});
const classes = (allowVolumeExpansion: boolean) =>
  [{ metadata: { name: "standard" }, allowVolumeExpansion }] as unknown as Live<V1StorageClass>[];

describe("pre-flight: the data that are there", () => {
  const release = (values: object) => ({
    name: "postgresql",
    namespace: "postgres",
    chart: "postgres",
    values: { ...values },
  });
  const volume = (persistence: object, has: string, sets = [set(has)], grows = true) =>
    volumeProblems(release({ persistence }), claim(has), sets, classes(grows), "prod").map(
      ({ severity, what, mend }) => `${severity}: ${what}. ${mend}`,
    );
  const about = (has: string, asks: string) =>
    `error: the volume of postgresql, postgres/data-postgresql-0, has ${has}, and database.storage.size asks for ${asks}: `;

  it("fit what is asked for, however the size is written", () => {
    for (const size of ["2Gi", "2048Mi"]) expect(volume({ size }, "2Gi"), size).to.deep.equal([]);
    expect(volume({ size: "2Gi", storageClass: "standard" }, "2Gi")).to.deep.equal([]);
    expect(volume({}, "2Gi")).to.deep.equal([]);
  });

  it("do not shrink", () => {
    expect(volume({ size: "1Gi" }, "2Gi")).to.deep.equal([
      `${about("2Gi", "1Gi")}a volume cannot shrink. Ask for at least 2Gi in Pulumi.prod.yaml`,
    ]);
  });

  it("grow where their class lets them, a StatefulSet's by hand", () => {
    expect(volume({ size: "3Gi" }, "2Gi", [], true)).to.deep.equal([]);
    expect(volume({ size: "3Gi" }, "2Gi", [], false).join()).to.include(
      "standard, does not let volumes grow",
    );
    expect(volume({ size: "3Gi" }, "2Gi").join())
      .to.include(`${about("2Gi", "3Gi")}Kubernetes does not let a StatefulSet's volumes grow by itself`)
      .and.to.include(
        `patch pvc data-postgresql-0 -p '{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}' && `,
      )
      .and.to.include("kubectl -n postgres delete statefulset postgresql --cascade=orphan");
    expect(volume({ size: "3Gi" }, "3Gi", [set("2Gi")]).join(), "half done").to.include("delete statefulset");
    expect(volume({ size: "3Gi" }, "3Gi", []), "all done").to.deep.equal([]);
  });

  it("keep their class", () => {
    expect(volume({ size: "2Gi", storageClass: "fast" }, "2Gi").join()).to.include(
      "is of class standard, and database.storage.storageClass asks for fast: a volume keeps its class",
    );
  });

  const marked = (major?: string) => ({
    ...claim("2Gi"),
    metadata: {
      name: "data-postgresql-0",
      ...(major && { annotations: { "mlplatform/postgres-major": major } }),
    },
  });
  const versions = (tag: string, major?: string, sets = [ready()]) =>
    versionProblems(release({ image: { tag } }), [marked(major)], sets).map(
      ({ severity, what }) => `${severity}: ${what}`,
    );
  const refusal = (there: string, asked: string) =>
    `error: the volume of postgresql, postgres/data-postgresql-0, was written by Postgres ${there}, and the stack asks ` +
    `for ${asked}, which would begin with an empty database`;

  it("are read by the major version that wrote them", () => {
    expect(versions("18.7@sha256:cd")).to.deep.equal([]);
    expect(versions("latest")).to.deep.equal([]);
    expect(versions("17.6")).to.deep.equal([refusal("18", "17")]);
    expect(versions("18.6", undefined, [ready("registry.example.com:5000/postgres:17.2")])).to.deep.equal([
      refusal("17", "18"),
    ]);
  });

  it("tell their version by themselves, whatever runs or is gone", () => {
    expect(versions("17.6", "18", [])).to.deep.equal([refusal("18", "17")]);
    expect(versions("18.6", "18", [set("2Gi", "docker.io/library/postgres:16.9")])).to.deep.equal([]);
    expect(versions("18.6", "17")).to.deep.equal([refusal("17", "18")]);
  });

  it("are of an unknown version where they say nothing and nothing runs", () => {
    for (const sets of [[], [set("2Gi", "docker.io/library/postgres:16.9")]])
      expect(versions("18.6", undefined, sets).join()).to.match(
        /^warning: which version of Postgres has written the volume of postgresql, postgres\/data-postgresql-0, is not known/,
      );
  });
});

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { type OneOffArgs, runOnce } from "../../../components/job";
import { at, create, type Created } from "./support/created";
import { asUser, ownership, requirements, resources, withoutRights } from "./support/surroundings";

function job(args: Partial<OneOffArgs> = {}, opts: pulumi.CustomResourceOptions = {}): Promise<Created> {
  return create(() => {
    runOnce(
      "it",
      {
        namespace: "n",
        jobName: "once",
        image: "registry.example.com/once:1",
        user: 1234,
        resources,
        role: "set-up",
        ...args,
      },
      opts,
    );
  });
}

describe("runOnce", () => {
  let created: Created;
  before(async () => {
    created = await job();
  });

  it("makes a Job of one container, as a user without rights, on a file system of which /tmp can be written to", () => {
    const labels = { ...ownership, "app.kubernetes.io/component": "set-up" };
    expect(created.list).to.deep.equal(["Job it"]);
    expect(created.inputs("Job")).to.deep.equal({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: "once",
        namespace: "n",
        labels,
        annotations: { "pulumi.com/replaceUnready": "true" },
      },
      spec: {
        backoffLimit: 4,
        activeDeadlineSeconds: 600,
        template: {
          metadata: { labels },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: asUser(1234),
            containers: [
              {
                name: "main",
                image: "registry.example.com/once:1",
                imagePullPolicy: "IfNotPresent",
                resources: requirements,
                securityContext: withoutRights,
                terminationMessagePolicy: "FallbackToLogsOnError",
                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
              },
            ],
            volumes: [{ name: "tmp", emptyDir: {} }],
          },
        },
      },
    });
  });

  it("takes the place of a Job that differs or has failed, which Kubernetes would not let change", () => {
    expect(created.one("Job").options).to.deep.equal({ customTimeouts: { create: "11m", update: "11m" } });
    const annotations = at(created.inputs("Job"), "metadata", "annotations");
    expect(annotations).to.deep.equal({ "pulumi.com/replaceUnready": "true" });
  });

  it("keeps the finished Job, which would be run again if it were gone", () => {
    expect(at(created.inputs("Job"), "spec")).not.to.have.any.keys("ttlSecondsAfterFinished");
  });

  it("runs what it is told, as often and as long as it is told, and is waited for longer than that", async () => {
    const env = [{ name: "A", value: "1" }];
    const told = await job({ command: ["sh"], args: ["-c", "true"], env, retries: 0, timeoutMinutes: 90 });
    const spec = at(told.inputs("Job"), "spec");
    expect(spec).to.include({ backoffLimit: 0, activeDeadlineSeconds: 5400 });
    expect(at(spec, "template", "spec", "containers", 0)).to.deep.include({
      command: ["sh"],
      args: ["-c", "true"],
      env,
    });
    expect(told.one("Job").options.customTimeouts).to.deep.equal({ create: "91m", update: "91m" });
  });

  it("has a token only with a service account that is named", async () => {
    const named = at((await job({ serviceAccountName: "clerk" })).inputs("Job"), "spec", "template", "spec");
    expect(named).to.include({ serviceAccountName: "clerk", automountServiceAccountToken: true });
    const spec = at(created.inputs("Job"), "spec", "template", "spec");
    expect(spec).not.to.have.any.keys("serviceAccountName");
  });

  it("takes parent and dependencies from the options that it is given", async () => {
    const child = await create(() => {
      const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
      const dependsOn = new pulumi.ComponentResource("test:index:Other", "other");
      const args = { namespace: "n", jobName: "j", image: "i:1", user: 1, resources, role: "r" };
      runOnce("it", args, { parent, dependsOn: [runOnce("first", args, {}), dependsOn] });
    });
    expect(child.one("Job", "it").parent).to.equal(child.one("Parent").urn);
    expect(child.dependencies("Job", "it")).to.include("Job first");
  });
});

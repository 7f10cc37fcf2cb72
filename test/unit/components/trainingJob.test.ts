import { expect } from "chai";

import { TrainingJob, type TrainingJobArgs } from "../../../components/training/trainingJob";
import { at, create, type Created, environment, jobContainer } from "./support/created";
import {
  asUser,
  modelNamespace,
  objectStore,
  requirements,
  resources,
  trackingServer,
  withoutRights,
} from "./support/surroundings";

function training(args: Partial<TrainingJobArgs> = {}): Promise<Created> {
  return create(() => {
    new TrainingJob("it", {
      model: "house-price",
      namespace: modelNamespace(),
      image: "registry.example.com/train:1",
      tracking: trackingServer(),
      objectStore: objectStore(),
      parameters: { "max-depth": 6, seed: 3 },
      data: "s3://our-data/sales.csv",
      resources,
      retries: 2,
      timeoutMinutes: 30,
      ...args,
    });
  });
}

async function jobName(args: Partial<TrainingJobArgs> = {}): Promise<string> {
  return String(at((await training(args)).inputs("Job", "it-job"), "metadata", "name"));
}

describe("TrainingJob", () => {
  let created: Created;
  let name: string;
  let hash: string;
  before(async () => {
    created = await training();
    name = String(at(created.inputs("Job", "it-job"), "metadata", "name"));
    hash = name.slice(-10);
  });

  it("is a Job named after the model and a hash", () => {
    expect(name).to.match(/^house-price-train-[0-9a-f]{10}$/);
    expect(at(created.inputs("Job", "it-job"), "metadata", "namespace")).to.equal("m");
    expect(created.inputs("TrainingJob")).to.deep.equal({ model: "house-price" });
  });

  it("keeps no copy of its data where none is wanted, which makes no other model", async () => {
    const without = await training({ keepData: false });
    expect(at(without.inputs("Job", "it-job"), "metadata", "name")).to.equal(name);
    expect(at(jobContainer(without.inputs("Job", "it-job")), "args")).to.include("--no-data-copy");
    expect(at(jobContainer(created.inputs("Job", "it-job")), "args")).not.to.include("--no-data-copy");
  });

  const changes: Record<string, Partial<TrainingJobArgs>> = {
    "the image changes": { image: "registry.example.com/train:2" },
    "a parameter changes": { parameters: { "max-depth": 7, seed: 3 } },
    "a parameter is added": { parameters: { "max-depth": 6, seed: 3, "test-size": 0.2 } },
    "a parameter goes": { parameters: { "max-depth": 6 } },
    "the address of the data changes": { data: "s3://our-data/other.csv" },
    "the data are the image's own": { data: undefined },
  };
  for (const [change, args] of Object.entries(changes)) {
    it(`runs again when ${change}`, async () => {
      expect(await jobName(args)).not.to.equal(name);
    });
  }

  it("has another name for each of these changes", async () => {
    const names = await Promise.all(Object.values(changes).map((args) => jobName(args)));
    expect(new Set(names).size).to.equal(names.length);
  });

  it("does not run again when only resources, retries or its time change", async () => {
    const other = { cpu: "2", memory: "4Gi", memoryLimit: "8Gi" };
    expect(await jobName({ resources: other, retries: 5, timeoutMinutes: 60 })).to.equal(name);
  });

  it("does not run again when the parameters are written in another order", async () => {
    const reordered = await training({ parameters: { seed: 3, "max-depth": 6 } });
    expect(reordered.inputs("Job", "it-job")).to.deep.equal(created.inputs("Job", "it-job"));
  });

  it("trains with these options, the parameters in alphabetical order", () => {
    const container = jobContainer(created.inputs("Job", "it-job"));
    expect(at(container, "args")).to.deep.equal([
      ...["--register-as", "house-price", "--experiment", "house-price"],
      ...["--once", hash],
      ...["--data", "s3://our-data/sales.csv", "--max-depth", "6", "--seed", "3"],
    ]);
    expect(at(container, "image")).to.equal("registry.example.com/train:1");
    expect(at(container, "command")).to.equal(undefined);
  });

  it("trains on the image's own data, with the command's own defaults, unless told otherwise", async () => {
    const plain = await create(() => {
      new TrainingJob("it", {
        model: "m",
        namespace: modelNamespace(),
        image: "i:1",
        tracking: trackingServer(),
        objectStore: objectStore(),
        resources,
        retries: 0,
        timeoutMinutes: 1,
      });
    });
    expect((at(jobContainer(plain.inputs("Job", "it-job")), "args") as string[]).slice(0, 5)).to.deep.equal([
      ...["--register-as", "m", "--experiment", "m", "--once"],
    ]);
    expect(at(jobContainer(plain.inputs("Job", "it-job")), "args")).to.have.length(6);
  });

  it("waits for the tracking server and the keys", () => {
    expect(created.dependencies("Job", "it-job")).to.deep.equal([
      "Release tracking-release",
      "Secret models-training",
    ]);
  });

  it("reads data with keys from a Secret, and keeps copies of them where model servers may not read", () => {
    expect(environment(jobContainer(created.inputs("Job", "it-job")))).to.deep.equal({
      DATA_COPIES: "s3://our-data/copies",
      MLFLOW_DISABLE_TELEMETRY: "true",
      MLFLOW_TRACKING_URI: "http://mlflow.t.svc.cluster.local:5000",
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_ENDPOINT_URL: "https://s3.example.com",
      AWS_ACCESS_KEY_ID: "training-s3/AWS_ACCESS_KEY_ID",
      AWS_SECRET_ACCESS_KEY: "training-s3/AWS_SECRET_ACCESS_KEY",
    });
    expect(created.one("Job", "it-job").secretPaths).to.deep.equal([]);
  });

  it("is tried as often, and takes as long, as it is told", () => {
    const { inputs, options } = created.one("Job", "it-job");
    expect(at(inputs, "spec", "backoffLimit")).to.equal(2);
    expect(at(inputs, "spec", "activeDeadlineSeconds")).to.equal(1800);
    expect(options).to.deep.equal({ customTimeouts: { create: "31m", update: "31m" } });
  });

  it("trains as a user without rights and without a token, marked for the network policies", () => {
    const template = at(created.inputs("Job", "it-job"), "spec", "template");
    expect(at(template, "metadata", "labels", "app.kubernetes.io/component")).to.equal("training");
    expect(at(template, "spec", "securityContext")).to.deep.equal(asUser(8888));
    expect(at(template, "spec", "automountServiceAccountToken")).to.equal(false);
    expect(at(template, "spec", "containers", 0, "securityContext")).to.deep.equal(withoutRights);
    expect(at(template, "spec", "containers", 0, "resources")).to.deep.equal(requirements);
  });
});

import { expect } from "chai";

import { BatchScoring, type BatchScoringArgs } from "../../../components/batch/batchScoring";
import { at, create, type Created, environment, jobContainer } from "./support/created";
import {
  asUser,
  modelNamespace,
  objectStore,
  resources,
  trackingServer,
  withoutRights,
} from "./support/surroundings";

function scoring(args: Partial<BatchScoringArgs> = {}): Promise<Created> {
  return create(() => {
    new BatchScoring("it", {
      namespace: modelNamespace(),
      objectStore: objectStore(),
      tracking: trackingServer(),
      name: "prices",
      model: "house-price",
      package: "house_price",
      image: "registry.example.com/train:1",
      after: [],
      version: 7,
      files: "s3://our-models/mlflow/1/models/m-1/artifacts",
      sha256: { MLmodel: "0".repeat(64) },
      input: "s3://our-data/houses.csv",
      output: "s3://our-predictions/prices-{version}.parquet",
      pods: 4,
      resources,
      room: "2Gi",
      retries: 6,
      timeoutMinutes: 90,
      ...args,
    });
  });
}

const jobName = async (args: Partial<BatchScoringArgs>) =>
  String(at((await scoring(args)).inputs("Job", "it-job"), "metadata", "name"));

describe("BatchScoring", () => {
  let created: Created;
  let job: Readonly<Record<string, unknown>>;
  before(async () => {
    created = await scoring();
    job = created.inputs("Job", "it-job");
  });

  it("is a Job whose pods know which of them they are, and share the table", () => {
    expect(at(job, "metadata", "name")).to.match(/^prices-[0-9a-f]{10}$/);
    expect(at(job, "spec")).to.include({
      completionMode: "Indexed",
      completions: 4,
      parallelism: 4,
      backoffLimitPerIndex: 6,
      activeDeadlineSeconds: 5400,
    });
    expect(at(jobContainer(job), "command")).to.deep.equal(["python", "-m", "batch"]);
    expect(at(jobContainer(job), "args")).to.deep.equal([
      ...["house_price", "--name", "house-price", "--version", "7"],
      ...["--files", "mlflow-artifacts:/1/models/m-1/artifacts"],
      ...["--input", "s3://our-data/houses.csv", "--output", "s3://our-predictions/prices-7.parquet"],
      ...["--worker", "$(WORKER)", "--workers", "4", "--run", "$(RUN)", "--room", String(2 ** 30)],
    ]);
    expect(environment(jobContainer(job))).to.deep.include({
      WORKER: "metadata.annotations['batch.kubernetes.io/job-completion-index']",
      RUN: "metadata.labels['batch.kubernetes.io/job-name']",
      MLPLATFORM_FILES: `{"MLmodel":"${"0".repeat(64)}"}`,
    });
  });

  it("may read tables and write scores, by keys that stand in a Secret, and do nothing else", () => {
    expect(created.inputs("Secret", "models-batch")).to.deep.include({
      stringData: { AWS_ACCESS_KEY_ID: "batch-id", AWS_SECRET_ACCESS_KEY: "batch-secret" },
    });
    expect(environment(jobContainer(job))).to.deep.include({
      AWS_ACCESS_KEY_ID: "batch-s3/AWS_ACCESS_KEY_ID",
      AWS_SECRET_ACCESS_KEY: "batch-s3/AWS_SECRET_ACCESS_KEY",
    });
    const pod = at(job, "spec", "template", "spec");
    expect(at(pod, "securityContext")).to.deep.equal(asUser(8888));
    expect(at(jobContainer(job), "securityContext")).to.deep.equal(withoutRights);
    expect(at(pod, "automountServiceAccountToken")).to.equal(false);
  });

  it("has disk for a copy of the table, and no more", () => {
    expect(at(jobContainer(job), "resources", "requests", "ephemeral-storage")).to.equal("2Gi");
    expect(at(job, "spec", "template", "spec", "volumes")).to.deep.equal([
      { name: "tmp", emptyDir: { sizeLimit: "2Gi" } },
    ]);
  });

  it("ends at once where the table is wrong, and counts no pod whose node is drained", () => {
    expect(at(job, "spec", "podFailurePolicy", "rules")).to.deep.equal([
      { action: "FailJob", onExitCodes: { operator: "In", values: [2] } },
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    ]);
  });

  it("is not waited for, and begins again with the next up where it has failed", () => {
    expect(at(job, "metadata", "annotations")).to.deep.equal({
      "pulumi.com/skipAwait": "true",
      "pulumi.com/replaceUnready": "true",
    });
  });

  for (const [what, args] of Object.entries({
    version: { files: "s3://our-models/mlflow/1/models/m-2/artifacts", version: 8 },
    image: { image: "registry.example.com/train:2" },
    table: { input: "s3://our-data/more.csv" },
    "file for the scores": { output: "s3://our-predictions/other-{version}.csv" },
    "number of pods": { pods: 2 },
  }))
    it(`is another Job with another ${what}`, async () => {
      expect(await jobName(args)).not.to.equal(await jobName({}));
    });

  it("is the same Job with more room or time", async () => {
    expect(await jobName({ room: "3Gi", timeoutMinutes: 5, retries: 0 })).to.equal(await jobName({}));
  });

  describe("with a schedule", () => {
    let cron: Readonly<Record<string, unknown>>;
    before(async () => {
      const args = { schedule: "0 2 * * *", output: "s3://our-predictions/{date}.csv" };
      cron = (await scoring(args)).inputs("CronJob", "it-cron-job");
    });

    it("is a CronJob in UTC, of which one Job runs at a time", () => {
      expect(at(cron, "metadata", "name")).to.equal("prices");
      expect(at(cron, "spec")).to.include({
        schedule: "0 2 * * *",
        timeZone: "Etc/UTC",
        concurrencyPolicy: "Forbid",
      });
    });

    it("has Jobs of the same kind, which put the time into the address themselves", () => {
      const spec = at(cron, "spec", "jobTemplate", "spec");
      expect(spec).to.include({ completionMode: "Indexed", completions: 4 });
      expect(at(jobContainer({ spec }), "args")).to.include("s3://our-predictions/{date}.csv");
    });
  });
});

import { expect } from "chai";

import { clusterSize } from "../../../cli/cluster/create";
import { type PodRequest, requestsOf } from "../../../cli/plan/requests";
import { readStackConfig } from "../../../cli/plan/stackFiles";
import program from "../../../index";
import { record } from "../support/recorder";

describe("the dev stack", () => {
  let all: PodRequest[];

  before(async () => {
    const config = readStackConfig("dev");
    all = requestsOf(await record(() => program("assume all"), config.config, config));
  });

  it("has all its parts counted: database, store, tracking, operator, model, four jobs", () => {
    expect(all.map(({ maker }) => maker.replace(/-[0-9a-f]{10}$/, ""))).to.have.members([
      "Deployment frontend",
      "Job house-price-train",
      "Job minio-setup",
      "Job mlflow-migration",
      "Job seldon-webhook-check",
      "Release minio",
      "Release mlflow",
      "Release postgresql",
      "Release seldon-core-operator",
      "SeldonDeployment house-price",
    ]);
    for (const { maker, each } of all) {
      expect(each.cpu, maker).to.be.greaterThan(0);
      expect(each.memory, maker).to.be.greaterThan(0);
    }
  });

  // What minikube's own pods ask for: 0.75 CPUs and 170Mi, with its storage provisioner and a network plugin 0.85 and 220Mi.
  it("fits into a cluster of its size beside what that needs itself, all at once", () => {
    const cpu = all.reduce((sum, { pods, each }) => sum + pods * each.cpu, 0);
    const memory = all.reduce((sum, { pods, each }) => sum + pods * each.memory, 0);
    expect(cpu)
      .to.be.greaterThan(1000)
      .and.at.most(clusterSize.cpus * 1000 - 850);
    expect(memory)
      .to.be.greaterThan(2 * 2 ** 30)
      .and.at.most(clusterSize.memoryGiB * 2 ** 30 - 220 * 2 ** 20);
  });
});

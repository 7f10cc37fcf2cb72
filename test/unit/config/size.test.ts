import { expect } from "chai";

import { readStackConfig } from "../../../cli/plan/stackFiles";
import { bytes, millicores } from "../../../config/fields";
import program from "../../../index";
import { record, type RecordedResource } from "../support/recorder";

interface Requests {
  readonly cpu: string;
  readonly memory: string;
}

interface Values {
  readonly resources?: { requests: Requests };
  readonly replicaCount?: number;
  readonly metrics?: { enabled: boolean; resources: { requests: Requests } };
  readonly manager?: { cpuRequest: string; memoryRequest: string };
}

interface Container {
  readonly resources: { requests: Requests };
}

interface Predictor {
  readonly replicas?: number;
  readonly componentSpecs: readonly { spec: { containers: readonly Container[] } }[];
  readonly svcOrchSpec: Container;
}

/** All requests of what a resource makes run, with the number of pods. An unknown kind of workload is an error. */
function requestsOf({ type, name, inputs }: RecordedResource): { pods: number; requests: Requests }[] {
  const one = (requests: Requests, pods = 1) => ({ pods, requests });
  switch (type) {
    case "kubernetes:batch/v1:Job": {
      const { containers } = (inputs as { spec: { template: { spec: { containers: Container[] } } } }).spec
        .template.spec;
      return containers.map(({ resources }) => one(resources.requests));
    }
    case "kubernetes:helm.sh/v3:Release": {
      const { resources, replicaCount, metrics, manager } = inputs["values"] as Values;
      if (resources === undefined && manager === undefined) throw new Error(`${name} asks for nothing`);
      return [
        ...(resources === undefined ? [] : [one(resources.requests, replicaCount)]),
        ...(metrics?.enabled === true ? [one(metrics.resources.requests)] : []),
        ...(manager === undefined ? [] : [one({ cpu: manager.cpuRequest, memory: manager.memoryRequest })]),
      ];
    }
    case "kubernetes:machinelearning.seldon.io/v1:SeldonDeployment": {
      const { predictors } = (inputs as { spec: { predictors: Predictor[] } }).spec;
      return predictors.flatMap(({ replicas = 1, componentSpecs, svcOrchSpec }) =>
        [...componentSpecs.flatMap(({ spec }) => spec.containers), svcOrchSpec].map(({ resources }) =>
          one(resources.requests, replicas),
        ),
      );
    }
    default:
      if (/:(Deployment|StatefulSet|DaemonSet|Pod|CronJob)$/.test(type))
        throw new Error(`${type} is not counted`);
      return [];
  }
}

describe("the dev stack", () => {
  let all: { pods: number; requests: Requests }[];

  before(async () => {
    const config = readStackConfig("dev");
    const { resources } = await record(program, config.config, config);
    all = resources.flatMap(requestsOf);
  });

  it("has all its parts counted: database, store, tracking, operator, model, executor, four jobs", () => {
    expect(all).to.have.length(10);
  });

  // What minikube's own pods ask for: 0.75 CPUs and 170Mi, with its storage provisioner and a network plugin 0.85 and 220Mi.
  it("fits into 4 CPUs and 6 GiB beside what the cluster needs itself, all at once", () => {
    const cpu = all.reduce((sum, { pods, requests }) => sum + pods * millicores(requests.cpu), 0);
    const memory = all.reduce((sum, { pods, requests }) => sum + pods * bytes(requests.memory), 0);
    expect(cpu)
      .to.be.greaterThan(1000)
      .and.at.most(4000 - 850);
    expect(memory)
      .to.be.greaterThan(2 * 2 ** 30)
      .and.at.most(6 * 2 ** 30 - 220 * 2 ** 20);
  });
});

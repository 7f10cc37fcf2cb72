import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../cli/cluster/cluster";
import { proxyAddress } from "../cli/cluster/services";
import { exampleOf } from "../cli/local/models";
import { predict } from "../cli/protocols/seldon";
import { decide } from "../cli/registry/decide";
import { needRegistry } from "../cli/registry/registry";
import { namespaceNames } from "../components/capabilities";
import { type ChartPin, chartSource, charts, seldonChart } from "../pins";
import { command } from "../test/standins/kubectl/command";
import {
  type ArticleSettings,
  articleModel,
  articleNamespaces,
  articleValues,
  bucketJob,
  storageSecret,
  trainingJob,
} from "./up-values";

/** A step of the way, and how long it took. */
export interface TimedStep {
  readonly step: string;
  readonly seconds: number;
}

const { database, objectStore, tracking, servingOperator, models } = namespaceNames;
const patience = "15m";
const patienceMilliseconds = 15 * 60_000;

/** The articles' way: one command after the other, each waited for, as a person types them, but without a pause. */
export class Articles {
  constructor(
    private readonly cluster: Cluster,
    private readonly settings: ArticleSettings,
  ) {}

  /** Goes all of the way, until the model answers. @param say hears of each step as it begins. */
  async up(say: (step: string) => void): Promise<TimedStep[]> {
    const { settings } = this;
    const values = articleValues(settings);
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["namespaces", () => this.namespaces()],
      ["Postgres", () => this.install("postgresql", database, charts.postgres, values.postgres)],
      ["MinIO", () => this.install("minio", objectStore, charts.minio, values.minio)],
      ["bucket", () => this.runJob(bucketJob(settings))],
      ["MLflow", () => this.install("mlflow", tracking, charts.mlflow, values.mlflow)],
      [
        "Seldon operator",
        () => this.install("seldon", servingOperator, seldonChart("1.17.1"), values.seldon),
      ],
      ["training", () => this.runJob(trainingJob(settings))],
      ["model", () => this.serve()],
    ];
    const timed: TimedStep[] = [];
    for (const [step, work] of steps) {
      say(step);
      const began = performance.now();
      await work();
      timed.push({ step, seconds: (performance.now() - began) / 1000 });
    }
    return timed;
  }

  /** Removes all of it, also what a failure has left half-made. */
  async down(): Promise<void> {
    const gone = ["--ignore-not-found", "--wait", "--timeout", patience];
    await this.kubectl(["delete", "seldondeployments", "--all", "-n", models, ...gone]).catch(
      () => undefined,
    );
    const releases = [
      ["seldon", servingOperator],
      ["mlflow", tracking],
      ["minio", objectStore],
      ["postgresql", database],
    ] as const;
    for (const [name, namespace] of releases)
      await this.helm(["uninstall", name, "-n", namespace, "--ignore-not-found", "--wait"]);
    await this.kubectl(["delete", "namespace", ...articleNamespaces, ...gone]);
  }

  private async namespaces(): Promise<void> {
    for (const name of articleNamespaces) await this.kubectl(["create", "namespace", name]);
  }

  private install(name: string, namespace: string, pin: ChartPin, values: object): Promise<string> {
    const { chart, version, repositoryOpts } = chartSource(pin, this.settings.mirror);
    const repository = repositoryOpts === undefined ? [] : ["--repo", repositoryOpts.repo];
    return this.helm(
      [
        ...["upgrade", "--install", name, chart, "--version", version, ...repository],
        ...["-n", namespace, "--wait", "--timeout", patience, "-f", "-"],
      ],
      JSON.stringify(values),
    );
  }

  private async runJob(job: ReturnType<typeof trainingJob>): Promise<void> {
    const { name, namespace } = job.metadata;
    await this.apply(job);
    const wait = ["--for=condition=complete", "--timeout", patience];
    await this.kubectl(["wait", `job/${name}`, "-n", namespace, ...wait]);
  }

  /** The operator's webhook may still refuse, and the address lead nowhere: whoever types this types it again. */
  private async serve(): Promise<void> {
    await this.apply(storageSecret(this.settings));
    const { files } = await decide(await needRegistry(this.cluster), "models:/house-price@champion");
    await again(() => this.apply(articleModel(this.settings, files)));
    const address = proxyAddress(
      { namespace: models, service: "house-price-default", port: 8000 },
      "/api/v1.0/predictions",
    );
    await again(() =>
      predict((body) => this.cluster.send(address, { body }), { ndarray: [exampleOf("house-price") ?? []] }),
    );
  }

  private apply(object: object): Promise<string> {
    return this.kubectl(["apply", "-f", "-"], JSON.stringify(object));
  }

  private kubectl(args: readonly string[], input?: string): Promise<string> {
    return command("kubectl", ["--context", this.cluster.context, ...args], input);
  }

  private helm(args: readonly string[], input?: string): Promise<string> {
    return command("helm", ["--kube-context", this.cluster.context, ...args], input);
  }
}

/** Tries until it works. @throws the last error, when there was time enough. */
async function again(attempt: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + patienceMilliseconds;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(500);
    }
  }
}

import { proxyAddress, trackingService } from "../../../../cli/cluster/services";
import { Progress } from "../../../../cli/progress";
import { filesTag } from "../../../../cli/registry/firstFiles";
import { decisionsIn, rewriteLock } from "../../../../cli/registry/lockFile";
import type { MovingOptions } from "../../../../cli/registry/promotion/moving";
import { type Promotable, promotable } from "../../../../cli/registry/promotion/promotable";
import { type Scene, sceneIn } from "../../../../cli/registry/promotion/scene";
import type { ClusterTarget } from "../../../../cli/target";
import type { PlatformConfig } from "../../../../config";
import { lockFile } from "../../../../config/lock";
import type { ModelConfig } from "../../../../config/models";
import { decisionOn } from "../../support/decision";
import { type Answering, type FakeApi, fakeApi } from "../../cluster/support/fakeApi";

const mlflow = proxyAddress(trackingService);
const api = `${mlflow}/api/2.0/mlflow`;
const files = `${mlflow}/api/2.0/mlflow-artifacts/artifacts`;

/** A version in a registry of tests. */
export interface HeldVersion {
  tags: Record<string, string>;
  registered: string;
  metrics: Record<string, number>;
  inputs: string;
  /** Digest of the data of its run. */
  data: string;
  /** Text of its `MLmodel` beside what it is of; rows of its training by default. */
  more: string;
}

/** A cluster in which a model `churn` serves a version of a registry, that answers with its number. */
export class FakeWorld {
  readonly versions: Record<number, HeldVersion> = {};
  readonly aliases: Record<string, string> = {};
  /** The files in service. */
  served: string | undefined;
  /** What versions answer, where that is not their number. */
  readonly wrong = new Map<string, number>();
  /** Names of models that serve beside it. */
  private readonly others: string[] = [];
  /** Called before and after each change of cluster and registry; what it throws or never ends is a failure there. */
  onChange: (what: string) => unknown = () => undefined;

  private constructor(
    readonly fake: FakeApi,
    readonly what: Promotable,
  ) {}

  /** @param stack also its environment. */
  static async open(stack: "dev" | "prod" = "dev", model: object = {}): Promise<FakeWorld> {
    const fake = await fakeApi({});
    const churn = { name: "churn", model: "models:/churn@champion", ...model } as ModelConfig;
    const config = { environment: stack, serving: {}, models: [churn] } as unknown as PlatformConfig;
    // That of other environments would stand in the project.
    const file = lockFile(stack, "dev");
    const world = new FakeWorld(fake, { ...promotable(stack, config, "churn"), file });
    world.install();
    return world;
  }

  /** Has the registry hold a version. */
  hold(version: number, change: Partial<HeldVersion> = {}): HeldVersion {
    const record = { names: ["a"], rows: [[1]], predictions: [version], libraries: { xgboost: "2.1.2" } };
    return (this.versions[version] = {
      tags: {},
      registered: "2026-10-01T00:00:00Z",
      metrics: { test_score: version / 10 },
      inputs: '[{"name":"a","type":"double"}]',
      data: "d1",
      more: `metadata: { mlplatform: ${JSON.stringify(record)} }`,
      ...change,
    });
  }

  /** A version that the registry holds. */
  held(version: number): HeldVersion {
    return this.versions[version] ?? this.hold(version);
  }

  /** Version 3 serves, as champion, and version 4 has challenged it. */
  static async challenged(stack?: "dev" | "prod", model?: object): Promise<FakeWorld> {
    const world = await FakeWorld.open(stack, model);
    world.hold(3).tags[`serves.${world.what.stack}`] = "2026-01-01T00:00:00.000Z";
    world.hold(4);
    Object.assign(world.aliases, { champion: "3", challenger: "4" });
    world.decide(3);
    world.served = world.filesOf(3);
    return world;
  }

  /** Has the lock name a version. */
  decide(version: number): void {
    const { file, stack, wish } = this.what;
    const known = { ...decisionOn(version, "xgboost-ubj", { xgboost: "2.1.2" }), run: `run${version}` };
    const metrics = { test_score: version / 10 };
    const signature = { inputs: this.versions[version]?.inputs ?? "[]" };
    rewriteLock(file, stack, (now) => ({ ...now, [wish]: { ...known, metrics, signature } }));
  }

  /** Has the stack serve a model more, for which nothing is decided. */
  serveUndecided(name: string): void {
    this.others.push(name);
    (this.what.config.models as ModelConfig[]).push({
      name,
      model: `models:/${name}@champion`,
    } as ModelConfig);
  }

  /** Where the files of a version lie. */
  filesOf(version: number): string {
    return `s3://models/mlflow/1/models/m-${version}/artifacts`;
  }

  scene(): Promise<Scene> {
    const target = { kind: "cluster", stack: this.what.stack, cluster: this.fake.cluster };
    return sceneIn(target as unknown as ClusterTarget, this.what);
  }

  /** How a test brings versions into service: at once, by what the lock says. */
  options(change: Partial<MovingOptions> = {}): MovingOptions {
    return {
      branch: false,
      consent: {},
      deploy: () =>
        this.change("deploy", () => (this.served = decisionsIn(this.what.file)[this.what.wish]?.files)),
      pace: { watching: 0, pause: 0, grace: 0, patience: 0 },
      progress: new Progress("json"),
      signal: new AbortController().signal,
      ...change,
    };
  }

  /** All that a promotion may change, in a form to compare. Who did something, and when, is left out. */
  state() {
    const { what, served, aliases, versions } = this;
    const tags = Object.entries(versions).map(([version, one]) => [
      version,
      Object.fromEntries(
        Object.entries(one.tags).flatMap(([key, value]) =>
          // What the files are is no state of service.
          key === filesTag ? [] : [[key, withoutSignature(value)]],
        ),
      ),
    ]);
    return {
      lock: decisionsIn(what.file)[what.wish]?.version,
      served: /m-(\d+)/.exec(served ?? "")?.[1],
      aliases: { ...aliases },
      tags: Object.fromEntries(tags) as Record<string, Record<string, unknown>>,
    };
  }

  /**
   * Runs something until the change of a number, at which it ends without a word.
   *
   * @param run is given the options of a command that says nothing: its connections end.
   * @returns whether it came so far
   */
  async killedAt(moment: number, run: (options: MovingOptions) => Promise<unknown>): Promise<boolean> {
    const progress = Object.assign(new Progress("json"), { event: () => undefined });
    let moments = 0;
    const killed = new Promise<true>((resolve) => {
      this.onChange = () => {
        moments += 1;
        if (moments < moment) return undefined;
        resolve(true);
        return new Promise(() => undefined);
      };
    });
    const ended = await Promise.race([run(this.options({ progress })).then(() => false), killed]);
    this.onChange = () => undefined;
    return ended;
  }

  close(): Promise<void> {
    return this.fake.close();
  }

  private async change(what: string, change: () => unknown): Promise<unknown> {
    await this.onChange(`before ${what}`);
    const refused = change();
    await this.onChange(`after ${what}`);
    return Array.isArray(refused) ? refused : {};
  }

  private install(): void {
    const { answers } = this.fake;
    const args = ["--artifacts-destination=s3://models/mlflow"];
    const say = (address: string, answer: Answering) => (answers[address] = answer);
    answers["/apis/apps/v1/namespaces/mlflow/deployments/mlflow"] = {
      spec: { template: { spec: { containers: [{ args }] } } },
    };
    say("/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments", () => ({
      items: [
        ...(this.served === undefined ? [] : [this.deployment("churn", this.served)]),
        ...this.others.map((name) => this.deployment(name, "s3://models/1")),
      ],
    }));
    say("/api/v1/namespaces/ml-models/services/http:churn-default:8000/proxy/api/v1.0/predictions", () => {
      const version = /m-(\d+)/.exec(this.served ?? "")?.[1] ?? "";
      return { data: { ndarray: [this.wrong.get(version) ?? Number(version)] } };
    });
    say(`${api}/registered-models/get`, () => ({
      registered_model: {
        aliases: Object.entries(this.aliases).map(([alias, version]) => ({ alias, version })),
      },
    }));
    say(`${api}/registered-models/alias`, ({ method, body }) => {
      const { alias, version } = JSON.parse(body) as { alias: string; version: string };
      return this.change(`${method} alias ${alias}`, () => {
        if (method === "DELETE") Reflect.deleteProperty(this.aliases, alias);
        else this.aliases[alias] = version;
      });
    });
    for (const [method, verb] of [
      ["set-tag", "POST"],
      ["delete-tag", "DELETE"],
    ] as const)
      say(`${api}/model-versions/${method}`, ({ body, ...asked }) => {
        const { version, key, value } = JSON.parse(body) as { version: string; key: string; value: string };
        if (asked.method !== verb) return [405, "no such method"];
        return this.change(`${method} ${key} of ${version}`, () => {
          const { tags = {} } = this.versions[Number(version)] ?? {};
          if (verb === "DELETE") Reflect.deleteProperty(tags, key);
          else tags[key] = value;
        });
      });
    say(`${api}/model-versions/search`, ({ query }) => {
      const all = Object.keys(this.versions).reverse();
      const run = /run_id='run(\d+)'/.exec(query.get("filter") ?? "")?.[1];
      return { model_versions: all.filter((one) => (run ?? one) === one).map((one) => this.record(one)) };
    });
    say(`${api}/model-versions/get`, ({ query }) => {
      const version = query.get("version") ?? "";
      const held = this.versions[Number(version)];
      return held === undefined ? [404, {}] : { model_version: this.record(version) };
    });
    say(`${api}/model-versions/get-download-uri`, ({ query }) => ({
      artifact_uri: `mlflow-artifacts:/1/models/m-${query.get("version") ?? ""}/artifacts`,
    }));
    say(`${api}/runs/get`, ({ query }) => this.run(/\d+/.exec(query.get("run_id") ?? "")?.[0] ?? ""));
    say(files, () => ({ files: ["MLmodel", "requirements.txt"].map((path) => ({ path, is_dir: false })) }));
    for (let version = 1; version < 10; version += 1) {
      const place = `${files}/1/models/m-${version}/artifacts`;
      answers[`${place}/requirements.txt`] = "xgboost==2.1.2\n";
      say(`${place}/MLmodel`, () => {
        const { inputs = "", more = "" } = this.versions[version] ?? {};
        return [
          `run_id: run${version}`,
          "flavors: { xgboost: { model_format: ubj } }",
          `signature: { inputs: '${inputs}' }`,
          more,
        ].join("\n");
      });
    }
  }

  private deployment(name: string, modelUri: string) {
    const graph = { name, modelUri };
    return {
      metadata: { name, namespace: "ml-models" },
      spec: { predictors: [{ name: "default", replicas: 1, graph }] },
      status: { state: "Available", deploymentStatus: { [`${name}-default-0-`]: { availableReplicas: 1 } } },
    };
  }

  private record(version: string) {
    const { tags: held = {}, registered = "" } = this.versions[Number(version)] ?? {};
    const tags = Object.entries(held);
    return {
      ...{ name: "churn", version, run_id: `run${version}`, creation_timestamp: Date.parse(registered) },
      tags: tags.map(([key, value]) => ({ key, value })),
    };
  }

  private run(version: string) {
    const { metrics = {}, data = "" } = this.versions[Number(version)] ?? {};
    return {
      run: {
        data: { metrics: Object.entries(metrics).map(([key, value]) => ({ key, value })) },
        inputs: { dataset_inputs: [{ dataset: { digest: data } }] },
      },
    };
  }
}

/** The value of a tag without who wrote it and when. */
function withoutSignature(value: string): unknown {
  if (!value.startsWith("{")) return /^\d{4}-/.test(value) ? "since" : value;
  const { at, by, ...rest } = JSON.parse(value) as Record<string, unknown>;
  if (typeof at !== "string" || typeof by !== "string") throw new Error(`nobody has signed ${value}`);
  return rest;
}

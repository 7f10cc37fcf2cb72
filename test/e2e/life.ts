import { isDeepStrictEqual } from "node:util";

import type { Cluster } from "../../cli/cluster/cluster";
import type { Engine } from "../../cli/engine/engine";
import { type Changes, EngineStack } from "../../cli/engine/stack";
import { project } from "../../cli/paths";
import { namespaceNames } from "../../components/capabilities";
import { type CommandEvent, type CommandName, type UpEvent, npmRun, stepLine } from "./commands";
import { checkCalls } from "./calls";
import { previewElsewhere } from "./elsewhere";
import { changeUnderLoad, checkGraphs, graphs } from "./graphs";
import { leftovers } from "./leftovers";
import { inWords, moveUnderLoad } from "./moving";
import { checkPage } from "./page";
import { replacePod, until } from "./pods";
import { Served } from "./served";
import { splitUnderLoad } from "./splitting";
import type { Steps } from "./steps";
import { checkStrangers } from "./strangers";
import { checkScores, putTables, tables } from "./tables";
import { type TestStack, modelName } from "./testStack";
import { removeVisitors } from "./visitor";

const model = { namespace: namespaceNames.models, labels: `seldon-deployment-id=${modelName}` };
const database = { namespace: namespaceNames.database, labels: "app.kubernetes.io/instance=postgresql" };
const store = { namespace: namespaceNames.objectStore, labels: "app.kubernetes.io/instance=minio" };

/** Another, better forest than the default one, so that it becomes the champion. */
const otherParameters = { [modelName]: { "n-estimators": 150, "max-depth": 8 } };

/** The life of a stack in a cluster, step by step. */
export class Life {
  private readonly served: Served;

  constructor(
    private readonly cluster: Cluster,
    private readonly stack: TestStack,
    private readonly engine: Engine,
    private readonly steps: Steps,
  ) {
    this.served = new Served(cluster);
  }

  /** Everything but the end. @throws Error a step failed; it has been told. */
  async live(): Promise<void> {
    const { steps, served } = this;
    await steps.run("up from empty", () => {
      this.stack.write();
      return this.up();
    });
    await steps.run("prediction as at training", () => served.checkAnswers());
    await steps.run("gRPC and metrics", () => checkCalls(this.cluster));
    await steps.run("models' page", () => checkPage(this.cluster, this.stack.name));
    await steps.run("preview", () => this.unchanged((engine, signal) => engine.preview({ signal })));
    await steps.run("refresh", () => this.unchanged((engine, signal) => engine.refresh({ signal })));
    await steps.run("preview from elsewhere", () => previewElsewhere(this.stack));
    await steps.run("strangers are kept out", () => checkStrangers(this.cluster));
    await steps.run("another version under load", () => this.changeUnderLoad());
    await steps.run("promotion and rollback under load", () => this.promoteUnderLoad());
    await steps.run("models' page, promoted", () => checkPage(this.cluster, this.stack.name));
    await steps.run("requests split under load", () => this.splitUnderLoad());
    await steps.run("canary promoted under load", () => this.canaryUnderLoad());
    await steps.run("pods deleted and restarted", () => this.losePods());
    await steps.run("tables scored", () => this.scoreTables());
    // Last: for want of room the stack with graphs is without the models that they are not made of.
    await steps.run("graphs of units", () => this.addGraphs());
    await steps.run("graph to model and back under load", () => this.changeGraphs());
  }

  /** Takes the stack down. @returns that nothing is left. @throws Error something is. */
  async end(): Promise<string> {
    await removeVisitors(this.cluster);
    await this.command("down", ["--stack", this.stack.name, "--confirm", this.stack.name]);
    // Volumes are removed behind their claims, by the storage class.
    let left: string[] = [];
    await until("nothing is left", async () => {
      left = await leftovers(this.cluster);
      return left.length === 0;
    }).catch((error: unknown) => {
      throw left.length > 0 ? new Error(`left in the cluster: ${left.join(", ")}`) : error;
    });
    return "no namespace, volume, definition, webhook or role is left";
  }

  /** @param more `--yes` where the stack loses what it does not declare any more, which is refused otherwise. */
  private async up(...more: readonly "--yes"[]): Promise<string> {
    const events = await this.command("up", ["--stack", this.stack.name, ...more]);
    const done = events.find((event): event is UpEvent => event.event === "up");
    if (done === undefined) throw new Error("npm run up did not say that it is up");
    const shown = done.models.map(
      ({ name, prediction }) => `${name} answers ${JSON.stringify(prediction?.value)}`,
    );
    return shown.join(", ");
  }

  private command(name: CommandName, args: readonly string[]): Promise<CommandEvent[]> {
    return npmRun(name, args, (event) => {
      this.steps.event(event);
      const line = stepLine(event);
      if (line !== undefined) this.steps.say(line);
    });
  }

  /** Expects that the engine finds nothing to change. */
  private async unchanged(
    ask: (engine: EngineStack, signal: AbortSignal) => Promise<Changes>,
  ): Promise<string> {
    const engine = await EngineStack.open(this.stack.name, this.engine, this.stack.overrides());
    const { same = 0, ...others } = await ask(engine, new AbortController().signal);
    const changed = Object.entries(others).filter(([, count]) => count > 0);
    if (changed.length > 0)
      throw new Error(`changes where there are none: ${changed.map((one) => one.join(" ")).join(", ")}`);
    if (same === 0) throw new Error("the engine compared nothing");
    return `${same} resources, no changes`;
  }

  private async changeUnderLoad(): Promise<string> {
    const { served, cluster } = this;
    const champion = await served.champion();
    const moved = await moveUnderLoad(cluster, served, () => {
      this.stack.write(otherParameters);
      return this.up();
    });
    await served.checkAnswers();
    if ((await served.champion()) === champion) throw new Error(`version ${champion} is still the champion`);
    return inWords(moved);
  }

  /** Goes back to the version before, and forth again. */
  private async promoteUnderLoad(): Promise<string> {
    const { served, cluster } = this;
    const champion = await served.champion();
    const told: string[] = [];
    for (const [name, ...words] of [["rollback"], ["promote", champion]] as const) {
      const moved = await moveUnderLoad(cluster, served, () =>
        this.command(name, [modelName, ...words, "--stack", this.stack.name]),
      );
      await served.checkAnswers();
      const now = await served.champion();
      if ((now === champion) !== (name === "promote")) throw new Error(`version ${now} is the champion`);
      told.push(`${name}: ${inWords(moved)}`);
    }
    return told.join("; ");
  }

  /** Between the champion, and the version that was it before. */
  private async splitUnderLoad(): Promise<string> {
    const other = `models:/${modelName}/1`;
    return splitUnderLoad(this.cluster, this.served, other, (predictors) => {
      this.stack.write(otherParameters, this.stack.models(otherParameters, { predictors }));
      return this.up();
    });
  }

  /** Tries the version before on a share of the requests until it is promoted, and promotes the champion again. */
  private async canaryUnderLoad(): Promise<string> {
    const { served, cluster } = this;
    const champion = await served.champion();
    const canary = { steps: [50], minutes: 0.3, requests: 50, errors: 0 };
    this.stack.write(otherParameters, this.stack.models(otherParameters, { canary }));
    const moved = await moveUnderLoad(cluster, served, () =>
      this.command("promote", [modelName, "1", "--canary", "20", "--stack", this.stack.name]),
    );
    if ((await served.champion()) !== "1") throw new Error("version 1 is not the champion");
    // To the version before it was a way back, of which there is none further.
    await this.command("promote", [modelName, champion, "--stack", this.stack.name]);
    if ((await served.champion()) !== champion) throw new Error(`version ${champion} is not the champion`);
    await served.checkAnswers();
    return inWords(moved);
  }

  private async addGraphs(): Promise<string> {
    await this.bringGraphs(graphs());
    return checkGraphs(this.cluster);
  }

  private async changeGraphs(): Promise<string> {
    const seen = await changeUnderLoad(this.cluster, (entries) => this.bringGraphs(entries));
    await checkGraphs(this.cluster);
    return seen;
  }

  private bringGraphs(entries: readonly object[]): Promise<string> {
    const models = this.stack.graphs(otherParameters, entries);
    this.stack.write(otherParameters, { ...models, [`${project}:modelQuota`]: { memory: "6Gi" } });
    return this.up("--yes");
  }

  private async scoreTables(): Promise<string> {
    await putTables(this.cluster);
    this.stack.write(otherParameters, { [`${project}:batch`]: tables });
    await this.up();
    return checkScores(this.cluster);
  }

  private async losePods(): Promise<string> {
    const { served, cluster } = this;
    const [champion, runs] = await Promise.all([served.champion(), served.runs()]);
    await replacePod(cluster, model);
    await served.checkAnswers();
    await Promise.all([replacePod(cluster, database), replacePod(cluster, store)]);
    // The tracking server may find its connections to the database closed, once.
    await until("the tracking server answers", async () => (await served.runs()).length > 0);
    if (!isDeepStrictEqual(await served.runs(), runs) || (await served.champion()) !== champion)
      throw new Error("the tracking server has other runs than before");
    const answers = await served.checkAnswers();
    return `${runs.length} runs and champion ${champion} as before; ${answers}`;
  }
}

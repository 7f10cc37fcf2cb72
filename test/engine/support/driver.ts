/** The process that runs the program: takes orders over its channel, and carries them out by the Automation API. */
import {
  type EngineEvent,
  LocalWorkspace,
  PulumiCommand,
  type PulumiFn,
  Stack,
} from "@pulumi/pulumi/automation";

import { mayBeShown } from "../../../cli/engine/events";
import { recover } from "../../../cli/engine/recover";
import { type Look, declaredObjects } from "../../../cli/engine/strays";
import { evaluate } from "../../../cli/plan/evaluate";
import type { Recording } from "../../../cli/plan/recording";
import { owner } from "./owner";
import type { Order, Outcome, RecordAnswer, RecordQuestion, State } from "./protocol";

type Result = Pick<Outcome, "outputs" | "state">;

const project = "mlplatform";
const charts = ["postgres", "minio", "mlflow", "seldon-core-operator"];
let command: Promise<PulumiCommand> | undefined;
const questions = new Map<number, (answer: RecordAnswer) => void>();

/** What the Automation API keeps to itself. */
interface Runner {
  run(args: readonly string[], workDir: string, env: Readonly<Record<string, string>>): Promise<unknown>;
}

function cli(): Promise<PulumiCommand> {
  command ??= PulumiCommand.get({ root: process.env["ENGINE_ROOT"] ?? "" });
  return command;
}

async function stackOf(order: Order): Promise<Stack> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- which program it is, the test says.
  const program = require(process.env["ENGINE_PROGRAM"] ?? "") as PulumiFn;
  const workspace = await LocalWorkspace.create({
    workDir: order.workDir,
    pulumiCommand: await cli(),
    envVars: { ...order.env },
    program,
  });
  if (order.action === "init") return Stack.create(order.stack, workspace);
  // These run the CLI once more each, to no end: each command names its stack, and events tell what has changed.
  workspace.selectStack = () => Promise.resolve();
  if (order.options.outputs !== true) workspace.stackOutputs = () => Promise.resolve({});
  const stack = await Stack.select(order.stack, workspace);
  stack.info = () => Promise.resolve(undefined);
  return stack;
}

async function carryOut(
  order: Order,
  output: (text: string) => void,
  onEvent: (event: EngineEvent) => void,
): Promise<Result> {
  const stack = await stackOf(order);
  const options = { onOutput: output, onError: output, onEvent, color: "never" as const };
  switch (order.action) {
    case "init":
      return {};
    case "up":
      return { outputs: (await stack.up({ ...options, refresh: order.options.refresh ?? false })).outputs };
    case "preview":
    case "refresh":
    case "destroy":
      await stack[order.action](options);
      return {};
    case "unprotect": {
      const args = ["state", "unprotect", "--all", "--yes", "--stack", order.stack];
      await ((await cli()) as PulumiCommand & Runner).run(args, order.workDir, order.env);
      return {};
    }
    case "export":
      return { state: (await stack.exportStack()).deployment as State };
    case "recover": {
      const records = {
        list: async (namespace: string) => (await ask("list", namespace)).releases ?? [],
        forget: async (namespace: string, name: string, scope: "newest" | "all") => {
          await ask(scope, namespace, name);
        },
      };
      const backendUrl = order.env["PULUMI_BACKEND_URL"] ?? "";
      const step = {
        detail: (text: string) => {
          output(`${text}\n`);
        },
      };
      const { patience = 0, next = "up" } = order.options;
      const look: Look = async ({ kind, metadata: { namespace = "", name } }) =>
        (await ask("look", namespace, name, kind)).seen;
      const settings = { backendUrl, project, patience, next, charts, look, owner };
      const declared = async () => declaredObjects((await recorded(stack)).resources);
      const recovery = await recover(stack, records, { ...settings, declared }, step);
      output(`${JSON.stringify(recovery)}\n`);
      return {};
    }
  }
}

/** What the program declares. */
async function recorded(stack: Stack): Promise<Recording> {
  const all = Object.entries(await stack.getAllConfig());
  const config = Object.fromEntries(all.map(([key, { value }]) => [key, value]));
  return evaluate(stack.workspace.program ?? (() => undefined), { stack: stack.name, config });
}

function ask(
  method: RecordQuestion["method"],
  namespace: string,
  name = "",
  kind = "",
): Promise<RecordAnswer> {
  const question = questions.size + 1;
  return new Promise((resolve) => {
    questions.set(question, resolve);
    process.send?.({ question, method, namespace, name, kind } satisfies RecordQuestion);
  });
}

process.on("message", (message: Order | RecordAnswer) => {
  if ("question" in message) {
    questions.get(message.question)?.(message);
    return;
  }
  const { id } = message;
  let text = "";
  let events = "";
  let changes: Outcome["changes"] = {};
  const output = (more: string) => {
    text += more;
  };
  const onEvent = (event: EngineEvent) => {
    if (event.summaryEvent !== undefined) changes = event.summaryEvent.resourceChanges;
    if (mayBeShown(event)) events += `${JSON.stringify(event)}\n`;
  };
  const tell = (how: Result & Pick<Outcome, "ok" | "error">) =>
    process.send?.({ id, text, events, changes, ...how } satisfies Outcome);
  carryOut(message, output, onEvent).then(
    (result) => tell({ ok: true, ...result }),
    (error: unknown) => tell({ ok: false, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.once("disconnect", () => process.exit());

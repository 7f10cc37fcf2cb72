import { Argument, Command, Option } from "commander";

import { type ArgocdOptions, withArgocd } from "./argocd/options";
import { count, duration, percentOf, port } from "./arguments";
import type { DoctorOptions } from "./commands/doctor";
import type { DownOptions } from "./commands/down";
import type { LogsOptions } from "./commands/logs";
import type { ModelsOptions } from "./commands/models";
import type { OpenOptions } from "./commands/open";
import type { PinsOptions } from "./commands/pins";
import type { PredictOptions } from "./commands/predict";
import type { MoveOptions, PromoteOptions } from "./commands/promote";
import type { PreviewOptions } from "./commands/preview";
import type { RerunOptions } from "./commands/rerun";
import type { ReviewOptions } from "./commands/review";
import type { ScoreOptions } from "./commands/score";
import type { SecretOptions } from "./commands/secret";
import type { StatusOptions } from "./commands/status";
import { tellMachines } from "./errors";
import { previewExitCodes } from "./exitCodes";
import { type GithubAction, type GithubOptions, githubActions } from "./github/actions";
import { allow, confirm, json, stack, withTarget } from "./options";
import type { TargetOptions } from "./target";

// The commands are loaded when they are called: what one needs, another should not have to wait for.

interface UpFlags extends TargetOptions {
  createCluster?: boolean;
  data?: string;
  models?: string;
  allow?: string[];
  allowCode?: string;
  parityOff?: string;
  python?: string;
  once?: boolean;
  detach?: boolean;
  json?: boolean;
  frontend?: boolean;
  mlflowPort?: number;
  frontendPort?: number;
  restPort?: number;
  grpcPort?: number;
  metricsPort?: number;
}

/** The commands, with what each takes. */
export const program = new Command("npm run")
  .description("The ML platform, from an empty machine to a model in service.")
  .configureOutput({
    outputError: (text, write) => {
      tellMachines(text.replace(/^error: /, "").trim());
      write(text);
    },
  })
  .showHelpAfterError("(npm run COMMAND -- --help shows all options)");

withTarget(program.command("up"), true)
  .description("bring the platform up, in a cluster or on this machine; ends with a prediction")
  .option("--create-cluster", "create a cluster on this machine with minikube or kind if there is none")
  .option("--yes", "do not ask before parts are removed that the stack does not declare any more")
  .addOption(confirm())
  .option(
    "--models <names>",
    "local target: its models, and those of its registry, with commas between them; or all of its own",
  )
  .option(
    "--allow-code <names>",
    "models of the registry that may run code when they are loaded: pickles, scripts",
  )
  .option(
    "--parity-off <names>",
    "models of the registry whose answers are compared with nothing, as they have no example, or answer by chance",
  )
  .option(
    "--no-refresh",
    "in a cluster: do not ask stores outside of it, nor look for what was deleted or changed by hand",
  )
  .addOption(allow())
  .option(
    "--data <address>",
    "training data of the local target: a path, https://… or s3://… (default: the sample of the project)",
  )
  .option("--no-data-copy", "local target: keep no copy of these data, by which the run could be repeated")
  .option("--python <path>", "Python 3.11 or 3.12 to use (default: the first that is found)")
  .addOption(new Option("--once", "local target: stop everything after the prediction").conflicts("detach"))
  .option("--detach", "local target: leave everything running in the background, instead of until Ctrl-C")
  .option("--no-frontend", "local target: without the page on which models are asked")
  .option("--mlflow-port <port>", "port of MLflow (default: 5050, or a free one)", port)
  .option("--frontend-port <port>", "port of the front end's page (default: 8501, or a free one)", port)
  .option("--rest-port <port>", "the model's REST port (default: 9000, or a free one)", port)
  .option("--grpc-port <port>", "the model's gRPC port (default: 5000, or a free one)", port)
  .option("--metrics-port <port>", "the model's metrics port (default: 6000, or a free one)", port)
  .addOption(json())
  .action(async ({ mlflowPort, frontendPort, restPort, grpcPort, metricsPort, ...options }: UpFlags) => {
    const { up } = await import("./commands/up.js");
    await up({
      ...options,
      ports: {
        ...{ mlflow: mlflowPort, frontend: frontendPort },
        ...{ rest: restPort, grpc: grpcPort, metrics: metricsPort },
      },
    });
  });

program
  .command("preview")
  .description("what a stack would become; needs no cluster, no Docker and no Pulumi CLI")
  .addOption(stack("the stack (default: the one that the Pulumi CLI has selected, or dev)"))
  .option(
    "--diff",
    "every difference; without an engine, from the stack's golden file, test/golden/NAME.json",
  )
  .addOption(new Option("--graph", "draw docs/resources-NAME.svg").conflicts("diff"))
  .addOption(new Option("--update-golden", "write the golden file anew").conflicts("diff"))
  .addOption(
    new Option("--offline", "leave the Pulumi CLI alone, even if it knows the stack").conflicts("target"),
  )
  .addOption(
    new Option(
      "--target <target>",
      "what the next up would change in its cluster, by the state in PULUMI_BACKEND_URL",
    )
      .choices(["cluster"])
      .conflicts(["graph", "updateGolden"]),
  )
  .addOption(
    new Option("--context <name>", "the same, of this context of the kubeconfig").conflicts([
      "graph",
      "offline",
      "updateGolden",
    ]),
  )
  .addOption(json())
  .addHelpText(
    "after",
    `
Where the stack was brought up from here, is asked for by --target, or the Pulumi CLI knows it, this is \`pulumi preview\`, with its --diff, --json and exit codes. Else:
  0  the preview is complete; with --diff, the golden file says the same
  1  there is no such stack, or its configuration is wrong
  ${previewExitCodes.different}  with --diff: the golden file differs
  ${previewExitCodes.violation}  a resource violates a mandatory policy`,
  )
  .action(async (options: PreviewOptions) => {
    const { preview } = await import("./commands/preview.js");
    process.exitCode = await preview(options);
  });

program
  .command("review")
  .description(
    "what this branch does to every stack, as a comment for its pull request; needs no cluster and no secret",
  )
  .option("--base <ref>", "branch, tag or commit that it is compared with", "main")
  .option("--out <file>", "write it into a file (default: standard output)")
  .addOption(json())
  .addHelpText("after", "\nIt ends with 1 where a stack cannot be evaluated, or breaks a mandatory policy.")
  .action(async (options: ReviewOptions) => {
    const { review } = await import("./commands/review.js");
    process.exitCode = await review(options);
  });

program
  .command("github")
  .description("what the workflows tell GitHub, with their token (docs/pull-requests.md)")
  .addArgument(
    new Argument(
      "<action>",
      "put a comment under a pull request, or one issue for what a scheduled run has found, or commit files and open their pull request",
    ).choices(githubActions),
  )
  .argument("<file>", "what it says; of a report that is empty the issue is closed")
  .option(
    "--pull <number>",
    "comment: the pull request (default: that of HEAD_OWNER, HEAD_BRANCH, HEAD_COMMIT)",
    count,
  )
  .option("--title <title>", "report, propose: its title")
  .option("--label <label>", "report: the label by which it is found again")
  .option("--commit <files...>", "propose: the files")
  .option("--branch <name>", "propose: the branch, which is made anew")
  .option("--base <name>", "propose: the branch that it is for", "main")
  .action(async (action: GithubAction, file: string, options: GithubOptions) => {
    const { github } = await import("./commands/github.js");
    await github(action, file, options);
  });

withArgocd(program.command("argocd"))
  .description(
    "the files by which Argo CD and the Pulumi Kubernetes Operator bring stacks up (docs/argo-cd.md)",
  )
  .action(async (options: ArgocdOptions) => {
    const { argocd } = await import("./commands/argocd.js");
    process.exitCode = await argocd(options);
  });

program
  .command("secret")
  .description("write a secret into a stack's file, encrypted; asks for it, or reads it from standard input")
  .argument("<key>", "the key that takes it, such as database.password")
  .addOption(stack("the stack, Pulumi.NAME.yaml (default: dev)"))
  .addOption(json())
  .action(async (key: string, options: SecretOptions) => {
    const { secret } = await import("./commands/secret.js");
    await secret(key, options);
  });

withTarget(program.command("models"), false)
  .description("which versions of the registry's models a stack serves; with update, decide anew")
  .argument(
    "[update]",
    "`update`, and names of the stack's models (default: all): ask the registry, write the lock",
  )
  .argument("[name...]")
  .addOption(json())
  .action(async (action: string | undefined, names: string[], options: ModelsOptions) => {
    const { models } = await import("./commands/models.js");
    process.exitCode = await models(action === undefined ? [] : [action, ...names], options);
  });

/** The options of what brings another version into service. */
function withMove(command: Command): Command {
  return withTarget(command, true)
    .option("--branch", "only write the lock, to be committed (default: in CI, but for stacks of dev)")
    .option("--no-branch", "deploy, in CI too")
    .option("--yes", "do not ask before parts are removed that the stack does not declare any more")
    .addOption(allow())
    .addOption(json());
}

withTarget(program.command("rerun"), true)
  .description(
    "train again what a run has trained, from its record alone, and compare the models number for number",
  )
  .argument("<run>", "id of a run; or a version: house-price, house-price@challenger, house-price/3")
  .option("--data <file>", "the data of the run, where neither MLflow nor their address has them any more")
  .option("--output <folder>", "a new folder for the files of the model")
  .addOption(json())
  .action(async (what: string, options: RerunOptions) => {
    const { rerun } = await import("./commands/rerun.js");
    process.exitCode = await rerun(what, options);
  });

program
  .command("score")
  .description(
    "predictions of all rows of a table, by the version of a model that is in service on this machine",
  )
  .argument("<name>", "a model of the project")
  .requiredOption("--input <file>", "the table: Parquet, or CSV in UTF-8, plain or packed by gzip")
  .requiredOption(
    "--output <file>",
    "the file for the scores, .parquet or else CSV; what they are of is written beside it",
  )
  .addOption(json())
  .action(async (name: string, options: ScoreOptions) => {
    const { score } = await import("./commands/score.js");
    await score(name, options);
  });

withMove(program.command("promote"))
  .description("bring a version of the registry into service, and say what speaks for it")
  .argument("<name>", "a model whose version an alias of the registry decides")
  .argument("[version]", "the version's number (default: the alias, where it is ahead; else the challenger)")
  .addOption(
    new Option(
      "--canary <percent>",
      "try it on this share of the requests first, and go on or back by the model's canary: rule",
    ).argParser(percentOf),
  )
  .option("--allow-code", "on this machine: even if it runs code of whoever has logged it")
  .option("--force", "even if it takes or answers other columns, or nobody can see that it answers right")
  .action(async (name: string, version: string | undefined, options: PromoteOptions) => {
    const { promote } = await import("./commands/promote.js");
    await promote(name, version, options);
  });

withMove(program.command("rollback"))
  .description("return to the version that served before the one in service")
  .argument("<name>", "the model")
  .action(async (name: string, options: MoveOptions) => {
    const { rollback } = await import("./commands/rollback.js");
    await rollback(name, options);
  });

program
  .command("pins")
  .description("every image and chart that a stack pulls: version, licence, use, reason")
  .addOption(stack("the stack").default("dev"))
  .addOption(new Option("--copy", "shell lines that fill the registry $MIRROR").conflicts("json"))
  .addOption(
    new Option(
      "--verify",
      "of every stack: whether it is still published, is what it was, under the same licence",
    ),
  )
  .option(
    "--report <file>",
    "with --verify: write what is wrong as Markdown, an empty file if nothing is, and end with 0",
  )
  .addOption(json())
  .action(async (options: PinsOptions) => {
    const { pins } = await import("./commands/pins.js");
    process.exitCode = await pins(options);
  });

withTarget(program.command("predict"), true)
  .description("ask the model that runs, locally or in the cluster")
  .argument(
    "[row...]",
    'JSON ([3, 1.5, …] or {"bedrooms": 3, …}) or bedrooms=3 bathrooms=1.5 … (default: an example)',
  )
  .option(
    "--csv <file>",
    "rows from a CSV file whose first line names the features; columns that the model does not take are left out",
  )
  .option("--picture <file>", "a picture, for a model that takes one")
  .option("--model <name>", "a model of the cluster (default: the only one)")
  .option("--url <url>", "ask the model at this address")
  .addOption(json())
  .action(async (row: string[], options: PredictOptions) => {
    const { predict } = await import("./commands/predict.js");
    await predict(row, options);
  });

withTarget(program.command("status"), true)
  .description("what runs, where, and whether it is well")
  .option(
    "--report <file>",
    "in a cluster: write what is not well as Markdown, an empty file if all is, and end with 0",
  )
  .addOption(json())
  .action(async (options: StatusOptions) => {
    const { status } = await import("./commands/status.js");
    process.exitCode = await status(options);
  });

withTarget(program.command("open"), false)
  .description("give what runs in the cluster addresses of this machine, until Ctrl-C")
  .argument("[what...]", "mlflow, minio, frontend, a model (default: all of these), postgres, s3")
  .option(
    "--port <port>",
    "the port, where one thing is opened (default: its usual one, or a free one)",
    port,
  )
  .addOption(json())
  .action(async (what: string[], options: OpenOptions) => {
    const { open } = await import("./commands/open.js");
    await open(what, options);
  });

withTarget(program.command("logs"), false)
  .description("the logs of a model, a training or a part of the platform")
  .argument("[name]", "whose logs (default: lists what has logs)")
  .option("--follow", "go on with what comes, also from pods that come later")
  .option("--since <duration>", "not older than this: 90s, 10m, 2h, 1d", duration)
  .addOption(new Option("--previous", "of the runs before the last restart").conflicts("follow"))
  .option("--container <name>", "of this container alone")
  .option("--tail <lines>", "so many lines of each container", count)
  .addOption(json())
  .action(async (name: string | undefined, options: LogsOptions) => {
    const { logs } = await import("./commands/logs.js");
    await logs(name, options);
  });

withTarget(program.command("doctor"), false)
  .description("find what keeps the platform from working, and mend it when you agree")
  .option("--yes", "mend all that can be mended, without asking")
  .addOption(json())
  .action(async (options: DoctorOptions) => {
    const { doctor } = await import("./commands/doctor.js");
    process.exitCode = await doctor(options);
  });

withTarget(program.command("down"), true)
  .description("remove the stack from its cluster, and stop what runs on this machine")
  .option("--data", "remove the data too: of the local target, and what staging and prod protect")
  .option("--forget", "only forget the stack's state, where its cluster is gone for good")
  .option("--yes", "do not ask, where no data are lost")
  .addOption(confirm())
  .addOption(json())
  .action(async (options: DownOptions) => {
    const { down } = await import("./commands/down.js");
    await down(options);
  });

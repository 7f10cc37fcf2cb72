/** What is to be said of a declarative pipeline without Jenkins, whose own validator is no library. */
import type { Call, Read, Tree } from "../../groovy";

/** A command that a pipeline runs, and with what. */
export interface Ran {
  readonly command: string;
  /** The labels of its agent. */
  readonly agent: string;
  /** The identifiers of the credentials that it has; variables as they stand. */
  readonly credentials: readonly string[];
  /** The variables that they come by. */
  readonly variables: readonly string[];
  /** The lock that it holds. */
  readonly lock: string | undefined;
  readonly minutes: number | undefined;
}

/** A pipeline, and what is wrong with it. */
export interface Pipeline {
  readonly findings: readonly string[];
  readonly ran: readonly Ran[];
  readonly cron: readonly string[];
  /** The plugins that it needs, by what it uses of them. */
  readonly plugins: ReadonlySet<string>;
}

const shared = ["agent", "environment", "options", "post", "tools"];
/** https://www.jenkins.io/doc/book/pipeline/syntax/ */
const sections: Readonly<Record<string, readonly string[]>> = {
  pipeline: [...shared, "stages", "parameters", "triggers", "libraries"],
  stage: [...shared, "input", "when", "failFast", "steps", "stages", "parallel", "matrix"],
  matrix: [...shared, "input", "when", "axes", "excludes", "stages"],
  axes: ["axis"],
  axis: ["name", "values"],
  stages: ["stage"],
  parallel: ["stage"],
  post: [
    ...["always", "changed", "fixed", "regression", "aborted", "failure", "success", "unstable"],
    ...["unsuccessful", "notBuilt", "cleanup"],
  ],
  input: ["message", "id", "ok", "submitter", "submitterParameter", "parameters"],
  triggers: ["cron", "pollSCM", "upstream"],
  parameters: ["string", "choice", "booleanParam", "text"],
  when: ["beforeAgent", "beforeInput", "branch", "not", "allOf", "anyOf", "expression", "environment"],
};
/** Sections that may stand there several times. */
const several = ["stage", "axis", "string", "choice", "booleanParam", "text"];
const bodies = ["steps", "stages", "parallel", "matrix"];

/** The steps and options in use, by the plugin that has them. One of another plugin is found. */
const plugins: Readonly<Record<string, string>> = {
  archiveArtifacts: "workflow-basic-steps",
  buildDiscarder: "workflow-multibranch",
  catchError: "workflow-basic-steps",
  checkout: "workflow-scm-step",
  copyArtifactPermission: "copyartifact",
  copyArtifacts: "copyartifact",
  deleteDir: "workflow-basic-steps",
  disableConcurrentBuilds: "workflow-job",
  echo: "workflow-basic-steps",
  input: "pipeline-input-step",
  junit: "junit",
  lock: "lockable-resources",
  milestone: "pipeline-milestone-step",
  pipeline: "pipeline-model-definition",
  scmGit: "git",
  sh: "workflow-durable-task-step",
  skipDefaultCheckout: "pipeline-model-definition",
  stash: "workflow-basic-steps",
  timeout: "workflow-basic-steps",
  unstash: "workflow-basic-steps",
  withCredentials: "credentials-binding",
};

const isCall = (tree: Tree | undefined): tree is Call =>
  typeof tree === "object" && tree !== null && "call" in tree;
const isString = (tree: Tree | undefined): tree is { readonly gstring: string } | string =>
  typeof tree === "string" || (typeof tree === "object" && tree !== null && "gstring" in tree);
const textOf = (tree: Tree | undefined): string =>
  typeof tree === "string" ? tree : isString(tree) ? (tree as { gstring: string }).gstring : "";

const callsOf = (call: Call | undefined): readonly Call[] => (call?.block ?? []).filter(isCall);

type Around = Omit<Ran, "command">;

/**
 * Reads a pipeline.
 *
 * @param scripts what `npm run` knows.
 */
export function pipelineOf({ file, error, statements = [] }: Read, scripts: readonly string[]): Pipeline {
  const findings: string[] = [];
  const ran: Ran[] = [];
  const cron: string[] = [];
  const needed = new Set<string>();
  const find = (line: number, what: string) => findings.push(`${file}:${line} ${what}`);

  function use(call: Call): void {
    const plugin = plugins[call.call];
    if (plugin === undefined) find(call.line, `has the unknown step or option ${call.call}`);
    else needed.add(plugin);
  }

  /** The sections of a block, by their names; what may not stand there, or not again, is found. */
  function sectionsOf(call: Call): ReadonlyMap<string, Call> {
    const known = sections[call.call] ?? [];
    const found = new Map<string, Call>();
    for (const one of call.block ?? []) {
      if (!isCall(one) || !known.includes(one.call)) {
        const what = isCall(one) ? one.call : JSON.stringify(one);
        find(isCall(one) ? one.line : call.line, `has the unknown section ${what} in ${call.call}`);
        continue;
      }
      if (found.has(one.call) && !several.includes(one.call)) find(one.line, `has ${one.call} twice`);
      found.set(one.call, one);
    }
    return found;
  }

  function steps(block: readonly Tree[], around: Around): void {
    for (const step of block) {
      if (!isCall(step)) {
        find(0, `has no step, but ${JSON.stringify(step)}`);
        continue;
      }
      use(step);
      if (step.call === "sh") run(step, around);
      steps(step.block ?? [], within(step, around));
    }
  }

  function within({ call, named, args }: Call, around: Around): Around {
    if (call === "timeout")
      return { ...around, minutes: named["unit"] === "MINUTES" ? Number(named["time"]) : 0 };
    if (call === "lock") return { ...around, lock: textOf(named["resource"]) };
    if (call !== "withCredentials") return around;
    const bound = (args[0] as readonly Tree[]).filter(isCall);
    const variables = bound.flatMap((one) =>
      Object.entries(one.named).flatMap(([key, value]) => (/variable$/i.test(key) ? [textOf(value)] : [])),
    );
    const credentials = bound.map((one) => textOf(one.named["credentialsId"]));
    return { ...around, variables, credentials: [...new Set(credentials)] };
  }

  function run({ args: [command], line }: Call, around: Around): void {
    if (typeof command !== "string") {
      find(line, "has a variable of Groovy in a command: it would stand in the process list, and in the log");
      return;
    }
    if (around.agent === "") find(line, "runs a command, and no agent does");
    const [, word = "", script = ""] = /^npm (\S+) ?(\S*)/.exec(command) ?? [];
    const npm = word === "run" ? script : word;
    if (npm !== "" && !["ci", ...scripts].includes(npm)) find(line, `runs the unknown command npm ${npm}`);
    if (npm !== "" && !(around.minutes !== undefined && around.minutes > 0))
      find(line, `lets npm ${npm} take as long as it likes`);
    for (const name of around.variables)
      if (new RegExp(`\\$\\{?${name}\\b`).test(command)) find(line, `has the secret ${name} in a command`);
    ran.push({ command, ...around });
  }

  function body(call: Call, outer: Around): void {
    const own = sectionsOf(call);
    const agent = own.get("agent");
    const [label] = callsOf(agent);
    const around = { ...outer, agent: agent === undefined ? outer.agent : textOf(label?.args[0]) };
    const given = bodies.filter((name) => own.has(name));
    if (given.length !== 1) find(call.line, `has ${given.length} of ${bodies.join(", ")} in ${call.call}`);
    for (const option of callsOf(own.get("options"))) use(option);
    for (const name of ["when", "triggers", "parameters", "input"]) {
      const section = own.get(name);
      if (section === undefined) continue;
      sectionsOf(section);
      if (name === "input") use(section);
    }
    for (const one of callsOf(own.get("triggers"))) if (one.call === "cron") cron.push(textOf(one.args[0]));
    steps(own.get("steps")?.block ?? [], around);
    for (const name of ["stages", "parallel"]) {
      const section = own.get(name);
      if (section === undefined) continue;
      sectionsOf(section);
      for (const stage of callsOf(section)) {
        if (typeof stage.args[0] !== "string") find(stage.line, "has a stage without a name");
        body(stage, around);
      }
    }
    const matrix = own.get("matrix");
    if (matrix !== undefined) body(matrix, around);
    const axes = own.get("axes");
    if (axes === undefined && call.call === "matrix") find(call.line, "has a matrix without axes");
    if (axes !== undefined) for (const axis of sectionsOf(axes).values()) sectionsOf(axis);
    const post = own.get("post");
    if (post !== undefined) for (const one of sectionsOf(post).values()) steps(one.block ?? [], around);
  }

  if (error !== undefined) findings.push(`${file} is no Groovy: ${error}`);
  const [pipeline, ...more] = statements;
  if (error === undefined && (!isCall(pipeline) || pipeline.call !== "pipeline" || more.length > 0))
    findings.push(`${file} is no declarative pipeline`);
  else if (isCall(pipeline)) {
    use(pipeline);
    for (const name of ["agent", "stages"])
      if (!callsOf(pipeline).some(({ call }) => call === name)) find(pipeline.line, `has no ${name}`);
    const nothing = { agent: "", credentials: [], variables: [], lock: undefined, minutes: undefined };
    body(pipeline, nothing);
  }
  return { findings, ran, cron, plugins: needed };
}

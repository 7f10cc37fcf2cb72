/** What the nodes of a graph take and give: neighbours must fit. */
import { servedOf } from "./decisionChecks";
import type { Part } from "./graph";
import { parsedJson } from "./json";
import type { Decisions } from "./lock";
import type { Mistake } from "./mistakes";
import { unitIn } from "./units";
import { listed } from "./words";

/** Columns of a table: names, where they have some, and how many. */
interface Columns {
  readonly names?: readonly string[];
  readonly count: number;
  /** Whose they are, for messages. */
  readonly of: string;
}

/**
 * Where a node does not fit to those behind it. Only what is certain is told: of what nobody has decided yet, and of images
 * of others, nothing is known.
 */
export function fitting(part: Part, decisions: Decisions): Mistake[] {
  const { path, type, children } = part;
  const at = (index: number, message: string): Mistake => ({
    path: [...path, "children", index, "name"],
    message: `is "${children[index]?.model.name ?? ""}", ${message}`,
  });
  const given = type === "OUTPUT_TRANSFORMER" ? undefined : sentOn(part, decisions);
  const mistakes = children.flatMap((child, index): Mistake[] => {
    const taken = takenBy(child, decisions);
    const problem = given && taken && misfit(given, "gives", taken, "takes");
    return problem === undefined ? [] : [at(index, problem)];
  });
  if (type === "COMBINER" || type === "ROUTER") {
    // All of them get the same rows; what a router answers is the answer of any, and a combiner makes one of all.
    const twins = (
      of: (child: Part, decisions: Decisions) => Columns | undefined,
      verb: "answers" | "takes",
    ) => {
      const [first, ...others] = children.map((child) => of(child, decisions));
      return others.flatMap((other, index): Mistake[] => {
        const problem = first && other && misfit(first, verb, other, verb);
        return problem === undefined ? [] : [at(index + 1, problem)];
      });
    };
    if (given === undefined) mistakes.push(...twins(takenBy, "takes"));
    mistakes.push(...twins(answeredBy, "answers"));
  }
  const [behind] = children;
  const last = type === "OUTPUT_TRANSFORMER" && behind ? answeredBy(behind, decisions) : undefined;
  const wanted = own(part, "takes");
  const unfit = last && wanted && misfit(last, "answers", wanted, "takes");
  return unfit === undefined
    ? mistakes
    : [...mistakes, { path: [...path, "name"], message: `is "${part.model.name}", ${unfit}` }];
}

/** What a node hands on to those behind it. */
function sentOn(part: Part, decisions: Decisions): Columns | undefined {
  if (part.type === "TRANSFORMER") return own(part, "gives");
  return part.type === "MODEL" ? signed(part, "outputs", decisions) : undefined;
}

/** What must be sent to a node: what it takes itself, or all those behind it. */
function takenBy(part: Part, decisions: Decisions): Columns | undefined {
  if (part.type === "TRANSFORMER") return own(part, "takes");
  if (part.type === "MODEL") return signed(part, "inputs", decisions);
  return firstOf(part.children, (child) => takenBy(child, decisions));
}

/** What comes back from a node. */
function answeredBy(part: Part, decisions: Decisions): Columns | undefined {
  const behind = () => firstOf(part.children, (child) => answeredBy(child, decisions));
  if (part.type === "OUTPUT_TRANSFORMER" || part.type === "COMBINER") return own(part, "gives") ?? behind();
  if (part.type === "MODEL" && part.children.length === 0) return signed(part, "outputs", decisions);
  return behind();
}

function firstOf<T>(children: readonly Part[], of: (child: Part) => T | undefined): T | undefined {
  return children.map(of).find((one) => one !== undefined);
}

function own({ model: { name, image } }: Part, key: "gives" | "takes"): Columns | undefined {
  const names = unitIn(image)?.[key];
  return names === undefined ? undefined : { names, count: names.length, of: name };
}

/** A column of a signature, or a tensor of several, as MLflow writes them. */
interface Signed {
  readonly name?: string;
  readonly type: string;
  readonly "tensor-spec"?: { readonly shape: readonly number[] };
}

/** What the version that was decided for a model takes or answers by its signature. */
function signed({ model }: Part, key: "inputs" | "outputs", decisions: Decisions): Columns | undefined {
  const text = decisions[servedOf(model) ?? ""]?.signature?.[key];
  if (text === undefined) return undefined;
  const read = parsedJson(text);
  if (!Array.isArray(read) || read.length === 0) return undefined;
  const columns = read as readonly Signed[];
  const [only] = columns;
  const shape = columns.length === 1 ? only?.["tensor-spec"]?.shape : undefined;
  if (shape !== undefined) {
    const width = shape.length === 1 ? 1 : shape[1];
    return width === undefined || width < 0 ? undefined : { count: width, of: model.name };
  }
  const names = columns.flatMap(({ name }) => name ?? []);
  return {
    count: columns.length,
    of: model.name,
    // The name of a single answer says nothing of the rows.
    ...(names.length === columns.length && key === "inputs" ? { names } : {}),
  };
}

/** Why columns do not fit to others, to be read behind the node's name. */
function misfit(
  given: Columns,
  verb: "answers" | "gives" | "takes",
  taken: Columns,
  does: "answers" | "takes",
) {
  if (given.count !== taken.count)
    return `which ${does} ${columns(taken.count)}, and ${given.of} ${verb} ${given.count}`;
  const missing = taken.names?.filter((name) => given.names?.includes(name) === false) ?? [];
  return missing.length === 0
    ? undefined
    : `which ${does} ${listed(missing)}, and that is not what ${given.of} ${verb}`;
}

function columns(count: number): string {
  return count === 1 ? "one column" : `${count} columns`;
}

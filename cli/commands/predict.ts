import { findCluster } from "../cluster/cluster";
import { UserError, messageOf } from "../errors";
import { predictUrl } from "../local/services";
import { readState } from "../local/state";
import { exampleRow } from "../local/target";
import { rowsFromCsv, rowsFromWords } from "../rows";
import { type Rows, type Send, predict as ask, sendTo } from "../seldon";
import { answerTable } from "../table";

/** Options of `npm run predict`. */
export interface PredictOptions {
  readonly csv?: string;
  readonly url?: string;
  readonly json?: boolean;
}

/** Where the platform serves its model in a cluster: Seldon's names for predictor `default` of `house-price`. */
const clusterPath =
  "/api/v1/namespaces/ml-models/services/http:house-price-default:8000/proxy/api/v1.0/predictions";

/**
 * `npm run predict`: sends rows to a model and prints its answer.
 *
 * Asks the model at `--url`, else the local one if it runs, else that of the current Kubernetes context.
 *
 * @throws UserError the rows cannot be read, no model answers, or it refuses them.
 */
export async function predict(words: readonly string[], options: PredictOptions): Promise<void> {
  if (options.csv !== undefined && words.length > 0) throw new UserError("give a row or --csv, not both.");
  const rows = options.csv === undefined ? typedRows(words) : rowsFromCsv(options.csv);
  const { send, where } = await findModel(options.url);
  const answer = await ask(send, rows);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return;
  }
  const example =
    options.csv === undefined && words.length === 0 ? `, for ${JSON.stringify(exampleRow)}` : "";
  process.stdout.write(`${where}${example}\n${answerTable(answer)}\n`);
}

function typedRows(words: readonly string[]): Rows {
  return words.length === 0 ? { ndarray: [exampleRow] } : rowsFromWords(words);
}

async function findModel(url: string | undefined): Promise<{ send: Send; where: string }> {
  if (url !== undefined) {
    const complete = predictAddress(url);
    return { send: sendTo(complete), where: complete };
  }
  const { model } = readState();
  if (model !== undefined) {
    const where = `${model.name} version ${model.version}, local`;
    return { send: sendTo(predictUrl(model)), where };
  }
  const found = await findCluster();
  if (found.state !== "answers") {
    const silent =
      found.state === "none" ? "there is no Kubernetes cluster" : `cluster ${found.context} does not answer`;
    throw new UserError(
      `no model runs: none is up locally, and ${silent} (${found.reason}). Start: npm run up`,
    );
  }
  const { cluster, context } = found;
  return {
    where: `house-price in cluster ${context}`,
    send: (body) =>
      cluster.send(clusterPath, { body }).catch((error: unknown) => {
        throw new UserError(
          `no model answers: none is up locally, and house-price in cluster ${context} cannot be asked: ` +
            `${messageOf(error)}. See: kubectl -n ml-models get pods,services`,
        );
      }),
  };
}

/** A URL without a path means the model's own. @throws UserError it is no http or https URL. */
function predictAddress(text: string): string {
  const complete = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(complete) || !/^https?:/i.test(complete)) {
    throw new UserError(`--url: ${text} is no http or https address.`);
  }
  const url = new URL(complete);
  if (url.pathname === "/") url.pathname = "/predict";
  return url.href;
}

import type { Exchange } from "../exchange";
import type { ModelClient, Rows } from "./answer";

/** Which model a server is to ask. */
export interface Asked {
  /** The name by which the server knows it. */
  readonly unit: string;
  /** Whether requests are led through further nodes of a graph. */
  readonly chained: boolean;
}

/** How models that speak a protocol are asked. */
export interface ProtocolClient {
  /** A client of a model, over whatever leads to its predictor. */
  readonly client: (exchange: Exchange, asked: Asked) => ModelClient;
  /** Where a predictor takes what the client asks. */
  readonly predictions: (asked: Asked) => string;
  /** A request for the prediction of rows, of a model that says nothing of its inputs. */
  readonly request: (rows: Rows) => unknown;
  /** Where a predictor says whether it is well. */
  readonly health: string;
  /** What a person opens to ask it. */
  readonly page: string;
  /** The same paths of a model's server that has nothing in front. */
  readonly own: {
    readonly predictions: (model: string) => string;
    readonly health: (model: string) => string;
  };
}

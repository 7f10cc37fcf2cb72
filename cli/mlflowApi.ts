import { UserError, requestFailure } from "./errors";
import { asJson, refused } from "./mlflowAnswers";

/** What is sent beside the address. MLflow reads the arguments of a deletion from its body, too. */
export interface Sent {
  readonly method: "DELETE" | "POST";
  /** JSON. */
  readonly body: string;
}

/** How a URL is fetched. */
export interface Fetching {
  /** What is sent there, to change what is there. @default nothing */
  readonly sent?: Sent;
  /** Whether the body is to be read as it comes, which the caller then does to its end. @default false */
  readonly streamed?: boolean;
}

/** Fetches a URL within so many milliseconds. @throws Error there is no answer. */
export type Transport = (url: string, timeout: number, how?: Fetching) => Promise<Response>;

const overHttp: Transport = (url, timeout, { sent } = {}) =>
  fetch(url, {
    signal: AbortSignal.timeout(timeout),
    ...(sent && { ...sent, headers: { "content-type": "application/json" } }),
  });

/** How MLflow's REST API is spoken to: https://mlflow.org/docs/latest/api_reference/rest-api.html */
export class MlflowApi {
  /**
   * @param url the server's address.
   * @param transport what leads there. @default HTTP
   */
  constructor(
    readonly url: string,
    protected readonly transport: Transport = overHttp,
  ) {}

  /**
   * Asks the API; undefined if it answers that there is no such thing.
   *
   * @param missing what it says of one that is not there, where it takes that for a wrong argument. @default never
   */
  protected async get<T>(
    method: string,
    parameters: Record<string, string>,
    missing?: RegExp,
  ): Promise<T | undefined> {
    const query = new URLSearchParams(parameters).toString();
    const url = `${this.methodUrl(method)}?${query}`;
    return this.fetch(
      url,
      async (response) => {
        if (response.status === 404) return undefined;
        if (response.status !== 400) return asJson<T>(response);
        const text = await response.text();
        if (missing?.test(text) === true) return undefined;
        throw refused(response.status, url, text);
      },
      { expected: [400, 404] },
    );
  }

  /** Has the API change something. @throws UserError it refuses. */
  protected async change(
    verb: Sent["method"],
    method: string,
    content: Record<string, string>,
  ): Promise<void> {
    const sent = { method: verb, body: JSON.stringify(content) };
    await this.fetch(this.methodUrl(method), asJson, { sent });
  }

  /** @param read takes the answer's body, which may break off as the request itself may. */
  protected async fetch<T>(
    url: string,
    read: (response: Response) => Promise<T>,
    { expected = [], ...how }: Fetching & { readonly expected?: readonly number[] } = {},
  ): Promise<T> {
    try {
      // The server first fetches a large file itself.
      const response = await this.transport(url, how.streamed ? 300_000 : 30_000, how);
      if (response.ok || expected.includes(response.status)) return await read(response);
      throw refused(response.status, url, await response.text());
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`MLflow at ${this.url} does not answer: ${requestFailure(error)}.`);
    }
  }

  private methodUrl(method: string): string {
    return `${this.url}/api/2.0/mlflow/${method}`;
  }
}

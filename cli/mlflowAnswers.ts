/** What MLflow answers, and what else may answer in its place. */
import { UserError } from "./errors";

/** A version of a registered model. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly runId: string;
  /** What was registered, such as `models:/m-0f63…`; undefined where the server does not say. */
  readonly source?: string;
  /** Values of its tags, by key. */
  readonly tags: Readonly<Record<string, string>>;
  /** When it was registered, in ISO's form; undefined where the server does not say. */
  readonly registered?: string;
}

/** A registered model. */
export interface RegisteredModel {
  /** The number of the version that each alias stands for. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** A version, as the API answers it. */
export interface VersionAnswer {
  readonly model_version: {
    name: string;
    version: string;
    run_id?: string;
    source?: string;
    creation_timestamp?: number;
    tags?: { key: string; value: string }[];
  };
}

/** A file or a folder among the artifacts. */
export interface ArtifactFile {
  readonly path: string;
  readonly is_dir: boolean;
  /** In bytes. */
  readonly file_size?: number | string;
}

/**
 * Where an artifact is, below `mlflow-artifacts:/`; undefined where the server does not hand it out: with a host in the
 * address, it is the store of another one.
 */
export function proxied(address: string): string | undefined {
  return /^mlflow-artifacts:\/(?:\/\/)?([^/].*)$/.exec(address)?.[1];
}

/** MLflow's refusal, as an error. */
export function refused(status: number, url: string, text: string): UserError {
  return new UserError(`MLflow answered ${status} to ${url}: ${text.slice(0, 300)}`);
}

/** @throws UserError the body is no object in JSON, so that something else listens there. */
export async function asJson<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    const content = JSON.parse(text) as unknown;
    if (typeof content === "object" && content !== null) return content as T;
  } catch {
    // Told below.
  }
  throw stranger(text);
}

function stranger(text: string): UserError {
  return new UserError(`what answers in place of MLflow does not speak its language: ${text.slice(0, 200)}`);
}

/** The version in an answer. @throws UserError there is none. */
export function toVersion({ model_version: answer }: Partial<VersionAnswer>): ModelVersion {
  if (answer === undefined) throw stranger("{}");
  return {
    name: answer.name,
    version: answer.version,
    runId: answer.run_id ?? "",
    ...(answer.source !== undefined && { source: answer.source }),
    tags: Object.fromEntries((answer.tags ?? []).map(({ key, value }) => [key, value])),
    ...(answer.creation_timestamp !== undefined && {
      registered: new Date(answer.creation_timestamp).toISOString(),
    }),
  };
}

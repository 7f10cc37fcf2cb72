import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { UserError } from "./errors";
import {
  type ArtifactFile,
  type ModelVersion,
  type RegisteredModel,
  type VersionAnswer,
  asJson,
  proxied,
  toVersion,
} from "./mlflowAnswers";
import { MlflowApi } from "./mlflowApi";

export type { ModelVersion, RegisteredModel } from "./mlflowAnswers";
export type { Transport } from "./mlflowApi";

/** A run, as it was logged. */
export interface RunFacts {
  readonly id: string;
  /** `FINISHED`, `FAILED`, … */
  readonly status: string;
  /** Address of its artifacts: `mlflow-artifacts:/1/0f…/artifacts`. */
  readonly artifacts: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

interface Pair<T> {
  readonly key: string;
  readonly value: T;
}

/** A run, as the API answers it. */
interface RunAnswer {
  readonly run?: {
    readonly info: { readonly status: string; readonly artifact_uri?: string };
    readonly data?: { readonly params?: Pair<string>[]; readonly metrics?: Pair<number>[] };
    readonly inputs?: { readonly dataset_inputs?: { readonly dataset?: { readonly digest?: string } }[] };
  };
}

function byKey<T>(pairs: readonly Pair<T>[] = []): Record<string, T> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

type VersionKey = Pick<ModelVersion, "name" | "version">;

const artifactsPath = "/api/2.0/mlflow-artifacts/artifacts";

/** The part of MLflow's REST API that the platform needs: https://mlflow.org/docs/latest/api_reference/rest-api.html */
export class MlflowClient extends MlflowApi {
  /** Whether the server answers. */
  async healthy(): Promise<boolean> {
    const response = await this.transport(`${this.url}/health`, 2_000);
    return response.ok;
  }

  /** The version that an alias of a model stands for; undefined if there is no such model or alias. */
  async versionByAlias(name: string, alias: string): Promise<ModelVersion | undefined> {
    // An alias that is not there is a wrong argument to MLflow, of a model that is.
    const answer = await this.get<VersionAnswer>(
      "registered-models/alias",
      { name, alias },
      / alias .* not found/i,
    );
    return answer && toVersion(answer);
  }

  /** The newest version of a model with this value of a tag; undefined if there is none. */
  async versionByTag(name: string, key: string, value: string): Promise<ModelVersion | undefined> {
    return (await this.versions(`name='${name}' and tags.${key}='${value}'`, 1))[0];
  }

  /** The versions of all models that have a tag, whatever its value. */
  async versionsWithTag(key: string): Promise<readonly ModelVersion[]> {
    return this.versions(`tags.\`${key}\` != ''`, 1_000, true);
  }

  /** The versions that were registered of what a run has logged, the newest first, a hundred of them at most. */
  async versionsOfRun(runId: string): Promise<readonly ModelVersion[]> {
    return this.versions(`run_id='${runId}'`, 100);
  }

  /** All versions of a model, the newest first; none if there is no such model. */
  async versionsOf(name: string): Promise<readonly ModelVersion[]> {
    return this.versions(name.includes("'") ? `name="${name}"` : `name='${name}'`, 1_000, true);
  }

  /** @param all whether to turn the page where there are more than so many. */
  private async versions(filter: string, most: number, all = false): Promise<ModelVersion[]> {
    interface Page {
      model_versions?: VersionAnswer["model_version"][];
      next_page_token?: string;
    }
    const parameters = { filter, order_by: "version_number DESC", max_results: String(most) };
    const found: ModelVersion[] = [];
    let token: string | undefined;
    do {
      const page: Page | undefined = await this.get<Page>("model-versions/search", {
        ...parameters,
        ...(token === undefined ? {} : { page_token: token }),
      });
      found.push(...(page?.model_versions ?? []).map((one) => toVersion({ model_version: one })));
      token = page?.next_page_token;
    } while (all && token);
    return found;
  }

  /** A registered model; undefined if there is none of that name. */
  async registered(name: string): Promise<RegisteredModel | undefined> {
    interface ModelAnswer {
      registered_model?: { aliases?: { alias: string; version: string }[] };
    }
    const answer = await this.get<ModelAnswer>("registered-models/get", { name });
    const pairs = answer?.registered_model?.aliases?.map(({ alias, version }) => [alias, version] as const);
    return answer && { aliases: Object.fromEntries(pairs ?? []) };
  }

  /** The names of registered models, a thousand of them at most. */
  async registeredNames(): Promise<string[]> {
    const answer = await this.get<{ registered_models?: { name: string }[] }>("registered-models/search", {
      max_results: "1000",
    });
    return (answer?.registered_models ?? []).map(({ name }) => name);
  }

  /** A version of a model by its number; undefined if there is none. */
  async version(name: string, version: string): Promise<ModelVersion | undefined> {
    const answer = await this.get<VersionAnswer>("model-versions/get", { name, version });
    return answer && toVersion(answer);
  }

  /** Has an alias of a model stand for a version, whatever it stood for before. */
  async setAlias(name: string, alias: string, version: string): Promise<void> {
    await this.change("POST", "registered-models/alias", { name, alias, version });
  }

  /** Removes an alias of a model; one that is not there is none. */
  async deleteAlias(name: string, alias: string): Promise<void> {
    await this.change("DELETE", "registered-models/alias", { name, alias });
  }

  /** Writes a tag of a version. */
  async setTag({ name, version }: VersionKey, key: string, value: string): Promise<void> {
    await this.change("POST", "model-versions/set-tag", { name, version, key, value });
  }

  /** Removes a tag of a version; one that is not there is none. */
  async deleteTag({ name, version }: VersionKey, key: string): Promise<void> {
    await this.change("DELETE", "model-versions/delete-tag", { name, version, key });
  }

  /** The metrics of a run that are numbers, as they were logged last; none if there is no such run. */
  async metrics(runId: string): Promise<Readonly<Record<string, number>>> {
    const metrics = (await this.runAnswer(runId))?.data?.metrics ?? [];
    // JSON has neither: MLflow writes what is no number as text, and the infinite as the largest number.
    return byKey(metrics.filter(({ value }) => Number.isFinite(value) && Math.abs(value) < Number.MAX_VALUE));
  }

  /** Digests of the data sets of a run; none if none were logged. */
  async digests(runId: string): Promise<readonly string[]> {
    const used = (await this.runAnswer(runId))?.inputs?.dataset_inputs ?? [];
    return used.flatMap(({ dataset }) => dataset?.digest ?? []).sort();
  }

  /** A run; undefined if there is none of this id. */
  async run(runId: string): Promise<RunFacts | undefined> {
    const run = await this.runAnswer(runId);
    if (run === undefined) return undefined;
    const { params, metrics } = run.data ?? {};
    return {
      ...{ id: runId, status: run.info.status, artifacts: run.info.artifact_uri ?? "" },
      ...{ parameters: byKey(params), metrics: byKey(metrics) },
    };
  }

  private async runAnswer(runId: string): Promise<RunAnswer["run"]> {
    return (await this.get<RunAnswer>("runs/get", { run_id: runId }))?.run;
  }

  /** A metric of a run, as it was logged last; undefined if it was not. */
  async metric(runId: string, key: string): Promise<number | undefined> {
    return (await this.metrics(runId))[key];
  }

  /** A text among the artifacts that the server proxies, by its path below `mlflow-artifacts:/`. */
  async artifact(place: string): Promise<string> {
    return this.fetch(this.artifactUrl(place), (response) => response.text());
  }

  /** Reads a file among the artifacts that the server proxies as it comes: its bytes, of whatever number. */
  async read(place: string, take: (bytes: AsyncIterable<Uint8Array>) => Promise<void>): Promise<void> {
    await this.stream(this.artifactUrl(place), take);
  }

  /** The names of the artifacts at the top of a run, wherever they lie; none if there is no such run. */
  async artifactsOfRun(runId: string): Promise<string[]> {
    const answer = await this.get<{ files?: ArtifactFile[] }>("artifacts/list", { run_id: runId });
    return (answer?.files ?? []).map((file) => file.path);
  }

  /** Reads an artifact of a run as it comes, wherever it lies: the server fetches it first, as a whole. */
  async readOfRun(
    runId: string,
    artifact: string,
    take: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const query = new URLSearchParams({ path: artifact, run_uuid: runId }).toString();
    await this.stream(`${this.url}/get-artifact?${query}`, take);
  }

  private async stream(
    url: string,
    take: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    await this.fetch(
      url,
      async ({ body }) => {
        if (body !== null) await take(body);
      },
      { streamed: true },
    );
  }

  /** The names of the files and folders in a folder of the artifacts that the server proxies; none if it is not there. */
  async artifacts(place: string): Promise<string[]> {
    return (await this.filesIn(place)).map((file) => path.posix.basename(file.path));
  }

  /**
   * Fetches the files of a model version, as the pods of a model do in a cluster.
   *
   * The server must proxy its artifacts (`--serve-artifacts`), as the platform's does.
   *
   * @param folder where they shall stand; it appears when all files are there.
   */
  async download(version: ModelVersion, folder: string): Promise<void> {
    const root = await this.placeOf(version);
    const partial = `${folder}.partial`;
    rmSync(partial, { recursive: true, force: true });
    await this.downloadFolder(root, partial);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  }

  /** Whether the files of a model version are there: its record may have outlived them. */
  async holds(version: ModelVersion): Promise<boolean> {
    return (await this.artifacts(await this.placeOf(version))).includes("MLmodel");
  }

  /** The folder of a model version, below `mlflow-artifacts:/`. @throws UserError it is elsewhere. */
  async placeOf(version: ModelVersion): Promise<string> {
    const { name } = version;
    const answer = await this.get<{ artifact_uri: string }>("model-versions/get-download-uri", {
      name,
      version: version.version,
    });
    const root = proxied(answer?.artifact_uri ?? "");
    if (root === undefined) {
      throw new UserError(
        `version ${version.version} of ${name} is stored at ${answer?.artifact_uri ?? "no address"}, which MLflow ` +
          `at ${this.url} does not hand out: log it to a server that runs with --serve-artifacts.`,
      );
    }
    return root;
  }

  private async downloadFolder(source: string, target: string): Promise<void> {
    mkdirSync(target, { recursive: true });
    await Promise.all(
      (await this.filesIn(source)).map(async (file) => {
        const name = path.posix.basename(file.path);
        if (file.is_dir) {
          await this.downloadFolder(`${source}/${name}`, path.join(target, name));
          return;
        }
        const url = this.artifactUrl(`${source}/${name}`);
        const content = await this.fetch(url, (response) => response.arrayBuffer());
        writeFileSync(path.join(target, name), Buffer.from(content));
      }),
    );
  }

  /** What is in a folder of the artifacts; MLflow takes one that is not there for an empty one. */
  async filesIn(place: string): Promise<readonly ArtifactFile[]> {
    const query = new URLSearchParams({ path: place }).toString();
    const listing = asJson<{ files?: ArtifactFile[] }>;
    return (await this.fetch(`${this.url}${artifactsPath}?${query}`, listing)).files ?? [];
  }

  private artifactUrl(place: string): string {
    return `${this.url}${artifactsPath}/${place.split("/").map(encodeURIComponent).join("/")}`;
  }
}

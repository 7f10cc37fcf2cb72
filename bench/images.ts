import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { copiedFiles, dockerfileOf } from "../components/images/dockerfile";
import { hasOwnServer, manifests } from "../config/manifests";
import { findDocker } from "../cli/cluster/docker";
import { UserError } from "../cli/errors";
import { mlAppDir, projectDir } from "../cli/paths";
import { run } from "../cli/process";
import type { BenchResult } from "./main";

/** A layer of an image. */
export interface Layer {
  /** What made it. */
  readonly by: string;
  readonly bytes: number;
}

const changedFile = "modelserver/rest.py";
const signal = new AbortController().signal;

/**
 * The images of the models' servers against the original article's, on the same base: what each adds to it, layer by
 * layer, and how long ours takes to be built again after a change of code.
 *
 * @param how options of each `docker build`.
 * @param say is told what is being done.
 * @throws UserError no Docker daemon answers, or an image cannot be built.
 */
export async function images(how: readonly string[], say: (line: string) => void): Promise<BenchResult> {
  const docker = await findDocker(signal);
  if (docker.state !== "answers")
    throw new UserError(
      `This builds images, and no Docker daemon answers (${docker.state === "silent" ? docker.reason : docker.state}).`,
    );
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-bench-"));
  try {
    const builder = new Builder(folder, how, say);
    const plain = path.join(projectDir, "bench", "plain");
    await builder.build("base", plain, "Dockerfile", ["--target", "base"]);
    await builder.build("article", plain, "Dockerfile");
    const article = await builder.layers("article");
    const figures: Record<string, number> = { article_megabytes: megabytes(sum(article)) };
    const rows = rowsOf("the article's", article, sum(article));
    for (const { serving } of manifests.filter(hasOwnServer)) {
      const seconds = await builder.buildTwice(serving.image);
      const layers = await builder.layers(serving.image);
      figures[`${serving.image}_megabytes`] = megabytes(sum(layers));
      figures[`${serving.image}_ratio_to_article`] = round(sum(layers) / sum(article));
      figures[`${serving.image}_rebuild_seconds`] = round(seconds);
      rows.push(...rowsOf(serving.image, layers, sum(article)));
      rows.push(["", "built again after a change of code", `${seconds.toFixed(1)} s`, ""]);
    }
    return { head: ["above the base", "by", "MB", "of the article's"], rows, figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Builder {
  constructor(
    private readonly folder: string,
    private readonly how: readonly string[],
    private readonly say: (line: string) => void,
  ) {}

  async build(
    name: string,
    context: string,
    dockerfile: string,
    more: readonly string[] = [],
  ): Promise<void> {
    this.say(`building ${name}`);
    const file = path.join(context, dockerfile);
    await this.docker(["build", "--tag", tag(name), "--file", file, ...this.how, ...more, context]);
  }

  /** Builds one of the platform's images, and again after a change. Returns the seconds that the second time took. */
  async buildTwice(image: string): Promise<number> {
    const dockerfile = dockerfileOf(image);
    const context = path.join(this.folder, image);
    for (const file of [dockerfile, `${dockerfile}.dockerignore`, ...copiedFiles(dockerfile)])
      cpSync(path.join(mlAppDir, file), path.join(context, file));
    await this.build(image, context, dockerfile);
    appendFileSync(path.join(context, changedFile), `# ${new Date().toISOString()}\n`);
    const began = performance.now();
    await this.build(image, context, dockerfile);
    return (performance.now() - began) / 1000;
  }

  /** What an image has above its base. */
  async layers(name: string): Promise<Layer[]> {
    const [all, base] = [await this.history(name), await this.history("base")];
    return layersAbove(all, base);
  }

  private async history(name: string): Promise<string> {
    return this.docker(["history", "--no-trunc", "--human=false", "--format", "{{json .}}", tag(name)]);
  }

  private async docker(args: readonly string[]): Promise<string> {
    const command = `docker ${args[0] ?? ""}`;
    return run({ name: command, file: "docker", args, log: path.join(this.folder, "docker.log") }, signal);
  }
}

const tag = (name: string) => `mlplatform-bench-${name}`;

/**
 * The layers of an image that its base has not.
 *
 * @param history of `docker history`, a line of JSON for each layer, the newest first.
 * @param base likewise, of its base.
 * @returns those that are not empty, the largest first.
 */
export function layersAbove(history: string, base: string): Layer[] {
  const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");
  const own = lines(history).slice(0, lines(history).length - lines(base).length);
  return own
    .map((line) => JSON.parse(line) as { CreatedBy: string; Size: string })
    .map(({ CreatedBy, Size }) => ({ by: said(CreatedBy), bytes: Number(Size) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}

/** What made a layer, without what Docker puts around it. */
function said(createdBy: string): string {
  return createdBy
    .replace(/^\|\d+ .*?(?=\/bin\/sh)/, "")
    .replace(/^(RUN )?\/bin\/sh -c (#\(nop\) *)?/, "")
    .replace(/ # buildkit$/, "")
    .replace(/(file|dir|multi):[0-9a-f]+ in /, "")
    .trim();
}

function rowsOf(name: string, layers: readonly Layer[], article: number): string[][] {
  return [
    [name, "", megabytes(sum(layers)).toFixed(1), (sum(layers) / article).toFixed(2)],
    ...layers.map(({ by, bytes }) => ["", by.slice(0, 60), megabytes(bytes).toFixed(1), ""]),
  ];
}

const sum = (layers: readonly Layer[]) => layers.reduce((total, { bytes }) => total + bytes, 0);
const megabytes = (bytes: number) => round(bytes / 1e6);
const round = (value: number) => Math.round(value * 1000) / 1000;

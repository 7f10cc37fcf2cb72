/** The code that scores tables, for images of models that others have logged: they have its packages alone. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import { ownership } from "../kubernetes";

/** A ConfigMap with the code. */
export interface ScoringCode {
  readonly name: string;
  readonly configMap: pulumi.Resource;
  /** Where each of its keys belongs: keys have no folders in them. */
  readonly paths: Readonly<Record<string, string>>;
}

const mlAppDir = path.join(__dirname, "..", "..", "ml-app");
const packages = ["batch", "modelkit", "standardserver"];

/** Makes the ConfigMap. Other code has another name, so that the pods that run keep theirs. */
export function createScoringCode(
  resource: string,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): ScoringCode {
  const files = packages.flatMap((folder) =>
    readdirSync(path.join(mlAppDir, folder))
      .filter((file) => file.endsWith(".py"))
      .sort()
      .map((file) => ({ key: `${folder}.${file}`, place: `${folder}/${file}` })),
  );
  const data = Object.fromEntries(
    files.map(({ key, place }) => [key, readFileSync(path.join(mlAppDir, place), "utf8")]),
  );
  const digest = createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 8);
  const name = `scoring-code-${digest}`;
  const configMap = new k8s.core.v1.ConfigMap(
    resource,
    { metadata: { name, namespace, labels: ownership }, immutable: true, data },
    opts,
  );
  return { name, configMap, paths: Object.fromEntries(files.map(({ key, place }) => [key, place])) };
}

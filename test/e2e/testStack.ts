import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { parse, stringify } from "yaml";

import { type Overrides, settingsFile } from "../../cli/engine/settings";
import { UserError } from "../../cli/errors";
import { project, projectDir } from "../../cli/paths";
import { hasOwnServer, manifests } from "../../config/manifests";
import type { AppImageName } from "../../config/models";
import type { Mirror } from "../../pins";

/** Options of the training commands, by model. */
export type Parameters = Readonly<Record<string, Readonly<Record<string, number>>>>;

type Config = Readonly<Record<string, unknown>>;
type Prebuilt = Readonly<Record<AppImageName, string>>;

/** The model that is changed and looked at most; all others are brought up beside it. */
export const modelName = "house-price";

/** A stack of the test's own: a file in the project, and a home of its own for state, passphrase and logs. */
export class TestStack {
  readonly name = "e2e";
  readonly home = path.join(tmpdir(), `mlplatform-e2e-${process.pid}`);
  private readonly file = path.join(projectDir, `Pulumi.${this.name}.yaml`);
  private readonly extra = extraConfig();

  constructor(private readonly context: string) {}

  /** Writes the stack's file, with these parameters of the trainings, and further configuration. */
  write(parameters: Parameters = {}, more: Config = {}): void {
    writeFileSync(this.file, stringify({ config: { ...this.config(parameters), ...more } }));
  }

  /** Graphs, and beside them the models that they are made of, without the others: a small cluster has no room for all. */
  graphs(parameters: Parameters, graphs: readonly object[]): Config {
    const key = `${project}:models`;
    const named = JSON.stringify(graphs);
    const models = this.config(parameters)[key] as readonly { readonly name: string }[];
    return { [key]: [...models.filter(({ name }) => named.includes(`models:/${name}@`)), ...graphs] };
  }

  /** The models, of which the one that is changed has these keys besides; undefined takes one away. */
  models(parameters: Parameters, keys: Config): Config {
    const key = `${project}:models`;
    const models = this.config(parameters)[key] as readonly { readonly name: string }[];
    return { [key]: models.map((one) => (one.name === modelName ? { ...one, ...keys } : one)) };
  }

  /** The stack's configuration. What the test is about, cluster, models and their page, is not for `E2E_CONFIG` to say. */
  config(parameters: Parameters = {}): Config {
    const models = manifests.map((manifest) => {
      const { name, training } = manifest;
      const served = hasOwnServer(manifest)
        ? { image: manifest.serving.image }
        : { server: manifest.serving.server, allowCode: manifest.serving.allowCode };
      return {
        name,
        ...served,
        // All models of the project fit so into a cluster of two CPUs, beside the platform, graphs and what asks them.
        resources: { cpu: "100m" },
        training: { image: training.image, ...(name in parameters ? { parameters: parameters[name] } : {}) },
      };
    });
    return {
      [`${project}:environment`]: "dev",
      ...this.extra,
      [`${project}:context`]: this.context,
      [`${project}:frontend`]: { enabled: true },
      [`${project}:models`]: models,
    };
  }

  /** The images of the project that are built already, by name. */
  get prebuilt(): Prebuilt {
    return prebuiltIn(this.extra);
  }

  /** Where charts and images are taken from instead. */
  get mirror(): Mirror {
    const mirror = (this.extra[`${project}:mirror`] ?? {}) as string | Mirror;
    return typeof mirror === "string" ? { images: mirror, charts: `oci://${mirror}/charts` } : mirror;
  }

  /**
   * Turns this process, and those that it starts, to the stack's own state and passphrase: the backend that the user
   * may be logged in to is left alone.
   */
  moveIn(): void {
    mkdirSync(this.home, { mode: 0o700 });
    process.env["MLPLATFORM_HOME"] = this.home;
    process.env["PULUMI_CREDENTIALS_PATH"] = this.home;
    for (const name of ["BACKEND_URL", "ACCESS_TOKEN", "CONFIG_PASSPHRASE", "CONFIG_PASSPHRASE_FILE"])
      Reflect.deleteProperty(process.env, `PULUMI_${name}`);
  }

  /** What the last command found out for this machine, and gave to the engine. */
  overrides(): Overrides {
    const { config } = parse(readFileSync(settingsFile(this.name), "utf8")) as { config: Config };
    return { context: this.context, prebuilt: prebuiltIn(config) };
  }

  /** Removes the stack's file and its home. */
  remove(): void {
    rmSync(this.file, { force: true });
    rmSync(this.home, { recursive: true, force: true });
  }

  /** How the user goes on with a stack that was kept. */
  get kept(): string {
    return (
      `The stack was kept. Remove it with:\n` +
      `  MLPLATFORM_HOME=${this.home} PULUMI_CREDENTIALS_PATH=${this.home} ` +
      `npm run down -- --stack ${this.name} --confirm ${this.name} && rm -r ${this.home} ${this.file}`
    );
  }
}

function prebuiltIn(config: Config): Prebuilt {
  return ((config[`${project}:images`] ?? {}) as { prebuilt?: Prebuilt }).prebuilt ?? {};
}

/** What holds for this cluster only, such as a mirror: a stack file named by `E2E_CONFIG`. */
function extraConfig(): Config {
  const file = process.env["E2E_CONFIG"];
  if (file === undefined || file === "") return {};
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: Config | null };
  if (config === undefined || config === null)
    throw new UserError(`E2E_CONFIG: ${file} has no config: at its top, as a stack's file has.`);
  return config;
}

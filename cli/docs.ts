/** `npm run docs`: writes anew docs/configuration.md, the keys from the schema and the rest from here, and docs/checks.md. */
import { writeFileSync } from "node:fs";
import * as path from "node:path";

import { format, resolveConfig } from "prettier";

import { environments } from "../config/fields";
import { allCharts } from "../pins";
import { checksPage } from "./checks/docs";
import { messageOf } from "./errors";
import { markdownTable } from "./markdown";
import { projectDir } from "./paths";
import { code, type Key, keys } from "./reference";

/** The pages that are generated, by file, in the format that `npm run check` asks for. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  const texts = { "configuration.md": configurationPage(), "checks.md": checksPage() };
  const written = Object.entries(texts).map(async ([name, text]) => {
    const file = path.join(projectDir, "docs", name);
    return [file, await format(text, { ...(await resolveConfig(file)), parser: "markdown" })] as const;
  });
  return new Map(await Promise.all(written));
}

const introduction = `
# Configuration

<!-- Written by \`npm run docs\` from config/ and cli/docs.ts: change it there. -->

What the platform becomes in a cluster stands in one file for each environment, \`Pulumi.<stack>.yaml\`. The shortest
one names a cluster and a model:

\`\`\`yaml
config:
  mlplatform:environment: dev
  mlplatform:context: minikube
  mlplatform:models:
    - name: house-price
      image: house-price-serve
      training:
        image: house-price-train
\`\`\`

Every key that is not there has a default, which may differ between the environments: \`dev\` fits into 4 CPUs and 6 GiB
of memory, \`staging\` and \`prod\` protect what holds data. \`npm run preview -- --stack dev\` shows what would come of
a file, without a cluster.

A file that is wrong changes nothing. All that is wrong with it is told at once:

\`\`\`text
Pulumi.dev.yaml has 2 problems; nothing was changed:
  mlplatform:models[0].model is "s3://models/wine/": leave the slash at the end out.
  mlplatform:tracking.replica is not known; did you mean replicas?
\`\`\`

[All keys](#all-keys) stand at the end.

## Set a value

Edit the file, or let Pulumi do it: \`pulumi config set --path 'mlplatform:tracking.replicas' 2\`. An amount is a text, so
one that looks like a number is put in quotes: \`cpu: "1"\`. So is a text that Pulumi would take for a date or a number,
such as \`"2024-01-31"\`, \`"20240131_1"\` or \`"0123"\`, and one that Pulumi would shorten: \`"1.10"\` for the parameter of a
training of your own; without quotes it is refused. Keys of another namespace are
told, and refused where they are a letter off.

What environments of Pulumi ESC (\`environment: [NAME]\`) would give is not known without the engine: \`npm run preview\` says
so, and shows what there is without them. \`npm run up\` has the engine open them first, where the state of the stack is in
a service of Pulumi; other backends have no environments, and the stack is refused. Which context is meant does not come from
there: it stands in the file, or \`--context\` names it.

## Set a secret

The passwords of all that runs in the cluster are made by the platform, and nobody has to know them. Those of a database
or a store elsewhere are set encrypted:

\`\`\`console
npm run secret -- database.password --stack prod
\`\`\`

It asks for the secret and shows nothing of it, or reads it from its standard input (\`< FILE\`), so that it stands in no list
of processes and no history. The stack need not have been up. The passphrase is yours (\`PULUMI_CONFIG_PASSPHRASE_FILE\`),
or that of this machine, \`.mlplatform/passphrase\`: give it to whoever else is to bring up the stack, never to git. In
plain Pulumi the same is \`pulumi config set --secret --path 'mlplatform:database.password'\`, once \`pulumi login\` and
\`pulumi stack init\` are done.

A password in plain text is refused, also beside one that is encrypted. (Plain \`pulumi up\` tells the program which
top-level keys hold secrets and not which of their values are; \`npm run up\` and \`npm run preview\` read the file.)

Nothing else in the configuration may be a secret: chart values, build arguments and annotations are kept as they are. What
looks like a secret is refused in build arguments, parameters and chart values, and in keys of other programs and values of
Pulumi ESC: by the end of its name (\`DB_PASS\`, \`API_TOKEN\`, \`clientSecret\`), unless it is a number or a switch; or by
itself, as a password or a key in an address, its query or a connection string, or a key of a service such as AWS, GitHub,
Hugging Face or Slack. A secret with neither such a name nor such a form is not found. Refused are also plain text under
\`secure:\`, and what is encrypted and is no secret: nobody could see in a preview what comes of it. A model gets secrets from
a Secret in the cluster, by \`environment\`.

## Add an environment

A stack may have any name; \`environment\` says whose defaults hold for it.

\`\`\`console
pulumi stack init staging-eu
pulumi config set mlplatform:environment staging
pulumi config set mlplatform:context NAME
npm run preview -- --stack staging-eu
\`\`\`

Outside \`dev\` the cluster pulls images from a registry: name one that you push to in \`images.registry\`, or images that
are built elsewhere in \`images.prebuilt\`.

## Take a database elsewhere

\`\`\`yaml
mlplatform:database:
  kind: external
  host: postgres.example.com
  username: mlflow
  password: { secure: … }
\`\`\`

Database and user have to be there, and the user needs a schema of its own that comes first in its search path:

\`\`\`sql
CREATE SCHEMA mlflow AUTHORIZATION mlflow;
ALTER ROLE mlflow IN DATABASE mlflowdb SET search_path = mlflow;
\`\`\`

Runs and models do not move by themselves from one database to another. [\`npm run up\` asks it](cluster.md#stores-outside-of-the-cluster)
before anything is deployed.

## Take a store elsewhere

Any S3 store will do; in production take one, since MinIO here is one pod on one volume.

\`\`\`yaml
mlplatform:objectStore:
  kind: external
  provider: AWS
  region: eu-central-1
  modelBucket: example-models
  dataBucket: example-datasets
  predictionBucket: example-predictions                # with batch
  users:
    tracking: { accessKeyId: …, secretAccessKey: { secure: … } }
    serving: { accessKeyId: …, secretAccessKey: { secure: … } }
    training: { accessKeyId: …, secretAccessKey: { secure: … } }
    batch: { accessKeyId: …, secretAccessKey: { secure: … } }        # with batch
\`\`\`

The buckets have to be there, and not public. The users need these rights and no more:

| user       | bucket        | rights                                                                                |
| ---------- | ------------- | ------------------------------------------------------------------------------------- |
| \`tracking\` | \`modelBucket\` | list, read, write and delete objects, with multipart uploads                          |
| \`serving\`  | \`modelBucket\` | list and read objects                                                                 |
| \`training\` | \`dataBucket\`  | list and read objects                                                                 |
| \`batch\`    | \`dataBucket\`  | list and read objects                                                                 |
| \`training\` | \`dataBucket\`, below \`copies/\` | write objects; without it a training warns, and no [copy of its data](data.md) is kept |
| \`tracking\` | \`dataBucket\`, below \`copies/\` | list, read and delete objects; without it no copy can be fetched |
| \`batch\`    | \`predictionBucket\` | list, read, write and delete objects, with multipart uploads |

[\`npm run up\` tries them](cluster.md#stores-outside-of-the-cluster) before anything is deployed; of those below \`copies/\` it warns only.

## Mirrors, and clusters without internet

\`mirror\` is where all charts and images come from instead. Images keep their path and their digest:

\`\`\`yaml
mlplatform:mirror: registry.example.com/mirror
\`\`\`

\`\`\`console
npm run pins -- --stack dev                      # what a stack pulls
export MIRROR=registry.example.com/mirror
npm run --silent pins -- --stack dev --copy | sh # copies it there, with crane and helm
\`\`\`

The two may also be apart, and charts may lie in a folder, unpacked:

\`\`\`yaml
mlplatform:mirror:
  images: registry.example.com/mirror
  charts: ./charts
\`\`\`

\`\`\`console
PULLS
\`\`\`

The project's own images start from \`library/python\` of the mirror too, and take packages from where
\`images.buildArgs\` says: \`PIP_INDEX_URL\` and \`UV_DEFAULT_INDEX\`. Where nothing can be built, name finished images in
\`images.prebuilt\`.

## The certificate of Seldon's webhook

Without it, no model can be deployed or changed. With \`serving.certificate: chart\` it is valid for 365 days, counted from
the last change of Seldon's release; a higher \`serving.certificateSerial\` makes a new one.
[cert-manager](https://cert-manager.io/docs/installation/helm/) renews it by itself. It has to be in the cluster before:

\`\`\`yaml
mlplatform:serving:
  certificate: cert-manager
\`\`\`

## All keys

Each stands below \`mlplatform:\`. A dot leads into a group, \`[]\` into each entry of a list, and NAME is a name of your
choice. Where environments differ, each has its default.
`;

function configurationPage(): string {
  // Of one with several versions the first, which is the default.
  const first = allCharts.filter(({ name }, at) => allCharts.findIndex((pin) => pin.name === name) === at);
  const pulls = first.map(({ name, repository, version }) =>
    repository.startsWith("oci://")
      ? `helm pull ${repository}/${name} --version ${version} --untar --untardir charts`
      : `helm pull ${name} --repo ${repository} --version ${version} --untar --untardir charts`,
  );
  return `${introduction.trim().replace("PULLS", pulls.join("\n"))}\n\n${reference(keys())}`;
}

/** A heading and a table for each key at the top; those without a group stand together. */
function reference(all: readonly Key[]): string {
  const top = all.filter(({ path: place }) => !/[.[]/.test(place));
  const single = top.filter(({ group }) => !group);
  const sections = top
    .filter(({ group }) => group)
    .map(({ path: name, description, value }) => {
      const inside = all.filter(({ path: place }) => place !== name && place.split(/[.[]/)[0] === name);
      const kinds = [...new Set(inside.map(({ kind }) => kind))];
      const tables = kinds.map((kind) => {
        const own = inside.filter((key) => key.kind === kind);
        const first = own.find(({ path: place }) => place === `${name}.kind`);
        const standing = first?.required === false ? ", which is the default" : "";
        const title =
          first === undefined
            ? ""
            : `#### ${name}, kind: ${String(kind)}\n\n${sentence(`${first.description}${standing}`)}\n\n`;
        return `${title}${table(own.filter((key) => key !== first))}`;
      });
      const whole = /^(group|list)$/.test(value) ? "" : ` It may be written as ${value}.`;
      return [`### ${name}`, `${sentence(description)}${whole}`, ...tables].join("\n\n");
    });
  return ["### The stack", table(single), ...sections].join("\n\n");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function table(list: readonly Key[]): string {
  const rows = list
    .filter(({ group, description }) => !group || description !== "")
    .map((key) => [code(key.path), key.description, key.value, defaultOf(key)]);
  return markdownTable(["key", "meaning", "value", "default"], rows);
}

function defaultOf({ defaults, required, fallback }: Key): string {
  if (fallback !== undefined) return fallback;
  if (required) return "**required**";
  const shown = defaults.map((value) => (isEmpty(value) ? "none" : code(value)));
  if (new Set(shown).size === 1) return shown[0] ?? "";
  return [...new Set(shown)]
    .map((value) => `${environments.filter((_, index) => shown[index] === value).join(", ")}: ${value}`)
    .join("; ");
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}

if (require.main === module)
  pages()
    .then((written) => {
      for (const [file, text] of written) writeFileSync(file, text);
    })
    .catch((error: unknown) => {
      console.error(messageOf(error));
      process.exitCode = 1;
    });

import { isSplit, mainPredictor, solePredictor } from "../components/serving/splitter/splits";
import { podSettings } from "../components/serving/standardServer";
import { checkSteps } from "./canaryRule";
import { checksumsVariable } from "./checksums";
import type { Understood } from "./checks";
import { partsOf } from "./graph";
import { checkGraph } from "./graphChecks";
import type { Decisions } from "./lock";
import { type Manifest, hasOwnServer, optionProblem, servedBy, trainedBy, trainingLock } from "./manifests";
import type { ModelConfig } from "./models";
import { type Mistake, placeOf } from "./mistakes";
import { champion, registryName, registryScheme } from "./registryNames";
import { mlflowServer } from "./mlflowServer";
import { isPickle, pinnedIn, prepackagedServers, readsOf, serverReads, untrustedLibrary } from "./servers";
import type { Path } from "./walk";
import { either } from "./words";

/** Two models of one name are one object to Kubernetes, and so are two addresses. */
export function checkNames(models: readonly (ModelConfig | undefined)[]): Mistake[] {
  const names = new Map<string, Path>();
  const addresses = new Map<string, Path>();
  const mistakes: Mistake[] = [];
  const claim = (taken: Map<string, Path>, name: string, path: Path, problem: (other: string) => string) => {
    const other = taken.get(name);
    if (other === undefined) taken.set(name, path);
    else mistakes.push({ path, message: problem(placeOf(other)) });
    return other === undefined;
  };
  models.forEach((model, index) => {
    if (model === undefined) return;
    const { name, predictors } = model;
    const path = ["models", index, "name"];
    if (!claim(names, name, path, (other) => `is "${name}", as ${other} is: names must differ`)) return;
    const makes = (address: string, where: Path) =>
      claim(
        addresses,
        address,
        where,
        (other) => `makes the address ${address}, which ${other} makes already`,
      );
    makes(name, path);
    // Its splitter has a disruption budget of that name.
    if ((predictors ?? []).length > 1 || model.graph !== undefined) makes(`${name}-splitter`, path);
    (predictors ?? [{ name: solePredictor(model) }]).forEach((predictor, place) =>
      makes(
        `${name}-${predictor.name}`,
        predictors === undefined ? path : ["models", index, "predictors", place, "name"],
      ),
    );
  });
  return mistakes;
}

/** What of a model does not fit together. */
export function checkModel(
  config: Understood,
  model: ModelConfig,
  written: Readonly<Record<string, unknown>>,
  path: Path,
  decisions: Decisions,
): Mistake[] {
  return [
    ...partsOf(model).flatMap((part) =>
      (part.type === "MODEL" ? checkSingle(config, part.model) : checkEnvironment(part.model)).map(
        (problem) => ({ ...problem, path: [...part.path, ...problem.path] }),
      ),
    ),
    ...checkGraph(model, written, decisions),
    ...checkReplicas(model, written),
    ...(config.environment === undefined ? [] : checkBudget(model)),
    ...checkTraffic(config, model),
    ...checkSteps(model),
  ].map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
}

/** What of a model by itself, or of one in a graph, does not fit together. */
function checkSingle(config: Understood, model: ModelConfig): Mistake[] {
  return [
    ...checkServer(model),
    ...checkFiles(model),
    ...checkTraining(model),
    ...checkFormat(model),
    ...checkLibrary(model),
    ...checkPickle(model),
    ...checkEnvironment(model),
    ...checkBuckets(config, model),
  ];
}

function at(path: string, message: string): Mistake {
  return { path: path.split("."), message };
}

function checkServer(model: ModelConfig): Mistake[] {
  const { server, image, protocol, parameters } = model;
  const mistakes: Mistake[] = [];
  if (server !== undefined && image !== undefined)
    mistakes.push(at("image", "stands beside server: keep one of them"));
  if (server === undefined && image === undefined && !isKnownLater(model))
    mistakes.push(
      at(
        "server",
        "is missing: name a prepackaged server here, or an image under image. What the registry names needs neither: " +
          "model: models:/NAME@ALIAS",
      ),
    );
  const trained = trainedBy(image);
  if (trained !== undefined)
    mistakes.push(at("image", `is ${trained.training.image}, which does not serve: ${serveBy(trained)}`));
  const served = server === undefined ? servedBy(image)?.serving : undefined;
  if (served !== undefined) {
    if (protocol !== undefined && protocol !== served.protocol)
      mistakes.push(
        at(
          "protocol",
          `is ${protocol}, which ${served.image} does not speak: leave it out, or take ${served.protocol}`,
        ),
      );
    for (const [name, value] of Object.entries(parameters)) {
      const message = optionProblem(name, value, served.parameters);
      if (message !== undefined) mistakes.push(at(`parameters.${name}`, message));
    }
  }
  if (server === undefined) return mistakes;
  if (server === mlflowServer) mistakes.push(...unnamed(model));
  if (protocol === "seldon")
    mistakes.push(at("protocol", `is seldon, which ${server} does not speak: leave it out, or take v2`));
  if (Object.keys(parameters).length > 0)
    mistakes.push(at("parameters", `are for the class in an image, and ${server} has none: leave them out`));
  return mistakes;
}

/** Of files in a folder nobody has written down what they require. */
function unnamed({ model, predictors = [] }: ModelConfig): Mistake[] {
  const mistake = (address: string | undefined, path: Path): Mistake[] =>
    address === undefined || address.startsWith(registryScheme)
      ? []
      : [
          {
            path,
            message:
              `is ${address}, and ${mlflowServer} makes an image of what a version of the registry requires: ` +
              `name one, ${registryScheme}NAME@${champion}`,
          },
        ];
  return [
    ...mistake(model, ["model"]),
    ...predictors.flatMap((one, index) => mistake(one.model, ["predictors", index, "model"])),
  ];
}

/** Whether the registry will tell of what kind its files are, and so which server loads them. */
function isKnownLater({ model, training, predictors = [] }: ModelConfig): boolean {
  const named = [model, ...predictors.map((one) => one.model)];
  return training !== undefined || named.some((address) => address?.startsWith(registryScheme));
}

/** How what a training makes is served. */
function serveBy(manifest: Manifest): string {
  return hasOwnServer(manifest)
    ? `take ${manifest.serving.image}`
    : `leave image out, and write server: ${manifest.serving.server}`;
}

function checkFiles({ name, server, image, model, training, predictors = [] }: ModelConfig): Mistake[] {
  if (model !== undefined && training !== undefined) {
    const named = registryName(model);
    if (named === undefined)
      return [
        at("model", `stands beside training: keep one of them, or name a version, models:/${name}@champion`),
      ];
    if (named.model === name) return [];
    return [
      at(
        "model",
        `is of ${named.model}, and the training beside it registers ${name}: models:/${name}@${champion}`,
      ),
    ];
  }
  if (model !== undefined || training !== undefined) return [];
  if (predictors.length > 0 && predictors.every((one) => one.model !== undefined)) return [];
  if (server !== undefined)
    return [at("model", `is missing: ${server} needs the address of a model's files here, or a training`)];
  // An image of others may have them inside.
  const served = servedBy(image)?.serving;
  if (served === undefined || served.reads.length === 0) return [];
  const instead = `model: ${registryScheme}NAME@${champion}, or a training`;
  return [at("model", `is missing: ${served.image} loads a model's files: ${instead}`)];
}

/** Options of the training command that the platform sets itself. */
const reservedOptions = new Map(
  Object.entries({
    data: "write training.data instead",
    experiment: "leave it out",
    json: "leave it out",
    once: "leave it out",
    "register-as": "leave it out",
    tag: "leave it out",
    "tracking-uri": "leave it out",
  }),
);

function checkTraining({ training }: ModelConfig): Mistake[] {
  if (training === undefined) return [];
  // Of an image of others nothing is known.
  const declared = trainedBy(training.image)?.training.options;
  const mistakes = Object.entries(training.parameters).flatMap(([name, value]) => {
    const instead = reservedOptions.get(name);
    const message =
      instead === undefined
        ? declared && optionProblem(name, value, declared)
        : `is set by the platform: ${instead}`;
    return message === undefined ? [] : [at(`training.parameters.${name}`, message)];
  });
  const served = servedBy(training.image);
  if (served !== undefined)
    mistakes.push(
      at("training.image", `is ${served.serving.image}, which does not train: take ${served.training.image}`),
    );
  return mistakes;
}

/** A server that cannot load what the training makes never gets ready, or answers wrong. */
function checkFormat({ server, image, training }: ModelConfig): Mistake[] {
  const trained = trainedBy(training?.image);
  const reads = server === undefined ? servedBy(image)?.serving.reads : readsOf(server);
  if (trained === undefined) return [];
  const { training: made } = trained;
  const served = server === undefined ? servedBy(image) : undefined;
  // The form of the files may be the same: its class asks for other columns, and answers otherwise.
  if (served !== undefined && served !== trained)
    return [
      at(
        "image",
        `is ${served.serving.image}, which serves what ${served.training.image} makes: ${serveBy(trained)}`,
      ),
    ];
  // What its own server checks, the general one would not.
  const fits = server === mlflowServer ? !hasOwnServer(trained) : reads?.includes(made.writes);
  if (fits ?? true) return [];
  const able = [
    ...prepackagedServers
      .filter((one) => serverReads[one].includes(made.writes))
      .map((one) => `server: ${one}`),
    ...(hasOwnServer(trained) ? [`image: ${trained.serving.image}`] : []),
  ];
  return [
    at(
      server === undefined ? "image" : "server",
      `is ${server ?? String(image)}, which ${server === mlflowServer ? "is not for" : "cannot load"} what ${made.image} makes (${made.writes}): ` +
        `take ${either(able)}`,
    ),
  ];
}

/** What another version of the library has written may load without a word, and answer otherwise. */
function checkLibrary({ server, training }: ModelConfig): Mistake[] {
  const trained = trainedBy(training?.image);
  if (trained === undefined || server === undefined) return [];
  const { image, writes } = trained.training;
  if (readsOf(server)?.includes(writes) !== true) return [];
  const found = untrustedLibrary(writes, librariesOf(trained));
  if (found === undefined) return [];
  const { library, trained: ours, served } = found;
  return [
    at(
      "training.image",
      `is ${image}, which trains with ${library} ${ours}, and ${server} has ${served}: it may answer otherwise. ` +
        `Pin ${library}==${served} in ml-app/${trained.folder}/train/requirements.in, and run: npm run lock`,
    ),
  ];
}

const libraries = new Map<Manifest, Readonly<Record<string, string>>>();

/** What a training has, by package. Read once: one image may make a thousand models. */
function librariesOf(trained: Manifest): Readonly<Record<string, string>> {
  const known = libraries.get(trained) ?? pinnedIn(trainingLock(trained));
  libraries.set(trained, known);
  return known;
}

/** A stack says for itself whether it trusts whoever may write to its buckets. */
function checkPickle({ server, training, allowCode }: ModelConfig): Mistake[] {
  const writes = trainedBy(training?.image)?.training.writes;
  // What it cannot load is told as that alone.
  const reads = server === undefined ? [] : (readsOf(server) ?? (writes === undefined ? [] : [writes]));
  const loads = reads.filter((form) => (writes ?? form) === form);
  const pickles = loads.length > 0 && loads.every(isPickle);
  if (!pickles || allowCode) return [];
  return [
    at(
      "allowCode",
      `is not set, and ${server} would load a pickle, which runs whatever code is in it: write allowCode: true if ` +
        "only those whom you trust may write to the bucket and the registry",
    ),
  ];
}

function checkReplicas(model: ModelConfig, written: Readonly<Record<string, unknown>>): Mistake[] {
  const { autoscaling, predictors = [] } = model;
  if (autoscaling === undefined) return [];
  const mistakes: Mistake[] = [];
  const { minReplicas, maxReplicas } = autoscaling;
  if (written["replicas"] !== undefined)
    mistakes.push(at("replicas", "stands beside autoscaling: keep one of them"));
  predictors.forEach(({ replicas }, index) => {
    if (replicas !== undefined)
      mistakes.push({
        path: ["predictors", index, "replicas"],
        message: "stands beside the model's autoscaling: leave it out",
      });
  });
  if (minReplicas > maxReplicas)
    mistakes.push(
      at("autoscaling.minReplicas", `is ${minReplicas}, above maxReplicas, which is ${maxReplicas}`),
    );
  return mistakes;
}

/** A budget that forbids every disruption stops the maintenance of the cluster. */
function checkBudget({ autoscaling, minAvailable, predictors = [], ...model }: ModelConfig): Mistake[] {
  const counts = [
    autoscaling?.minReplicas ?? model.replicas,
    ...predictors.flatMap(({ replicas }) => replicas ?? []),
  ];
  const fewest = Math.min(...counts.filter((count) => count > 0));
  if (minAvailable === undefined || minAvailable < fewest) return [];
  const pods = fewest === 1 ? "1 pod" : `${fewest} pods`;
  const instead = fewest === 1 ? "leave it out, or run more pods" : `at most ${fewest - 1}`;
  return [at("minAvailable", `is ${minAvailable}, so with ${pods} no node could be drained: ${instead}`)];
}

/** What the platform, or Seldon's operator, says to a server by variables: another value would break what counts on it. */
function isReserved(name: string, standard: boolean): boolean {
  if (name === "HOME" || name === checksumsVariable || name.startsWith("PREDICTIVE_UNIT_")) return true;
  return standard && (name in podSettings || name.startsWith("MLSERVER_"));
}

function checkEnvironment({ environment, server }: ModelConfig): Mistake[] {
  return Object.keys(environment)
    .filter((name) => isReserved(name, server !== undefined))
    .map((name) => at(`environment.${name}`, "is set by the platform: leave it out"));
}

function checkTraffic({ serving }: Understood, model: ModelConfig): Mistake[] {
  const { predictors } = model;
  if (predictors === undefined) return [];
  const answering = predictors.filter(({ shadow }) => !shadow);
  const sum = answering.reduce((total, { traffic }) => total + traffic, 0);
  const mistakes: Mistake[] = [];
  if (answering.length === 0)
    mistakes.push(at("predictors", "are all shadows, whose answers are dropped: one must answer"));
  else if (sum !== 100 && !(answering.length === 1 && sum === 0))
    mistakes.push(at("predictors", `share ${sum} % of the traffic; without shadows it must be 100`));
  if (predictors.length - answering.length > 1)
    mistakes.push(at("predictors", "hold more than one shadow, and Seldon takes one"));
  predictors.forEach(({ traffic, shadow, replicas = model.replicas, name }, index) => {
    if (traffic === 0 || shadow || replicas > 0) return;
    mistakes.push({
      path: ["predictors", index],
      message: `has ${traffic} % of the requests and no pod to answer them: give ${name} replicas, or no traffic`,
    });
  });
  const main = answering.some((one) => one.name === mainPredictor);
  if (answering.length > 0 && !main && serving !== undefined && isSplit({ predictors }, serving))
    mistakes.push(
      at(
        "predictors",
        `have no ${mainPredictor} that answers: call the one so that serves alone before the split and after it, so ` +
          "that no request is lost when it begins and ends",
      ),
    );
  return mistakes;
}

/** The S3 users may read one bucket each. */
function checkBuckets(config: Understood, { model, predictors = [], training }: ModelConfig): Mistake[] {
  if (config.objectStore === undefined) return [];
  const { modelBucket, dataBucket } = bucketsOf(config.objectStore);
  const check = (address: string | undefined, bucket: string, reader: string, path: Path): Mistake[] => {
    const named = address?.startsWith("s3://") === true ? address.split("/")[2] : undefined;
    if (named === undefined || named === bucket) return [];
    return [{ path, message: `is in bucket "${named}", and ${reader} may read "${bucket}" only` }];
  };
  return [
    ...check(model, modelBucket, "model servers", ["model"]),
    ...predictors.flatMap((one, index) =>
      check(one.model, modelBucket, "model servers", ["predictors", index, "model"]),
    ),
    ...check(training?.data, dataBucket, "trainings", ["training", "data"]),
  ];
}

/** The names of the buckets. */
export function bucketsOf(objectStore: NonNullable<Understood["objectStore"]>) {
  if (objectStore.kind === "minio")
    return { modelBucket: "models", dataBucket: "datasets", predictionBucket: "predictions" };
  return objectStore;
}

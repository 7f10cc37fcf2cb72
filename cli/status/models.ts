import { champion } from "../../config/registryNames";
import type { Cluster } from "../cluster/cluster";
import { servedVersions } from "../serving/version";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { messageOf } from "../errors";
import { MlflowClient } from "../mlflow";
import { protocolClients } from "../protocols/protocols";
import { backend } from "../serving/backend";
import { type ServedModel, type ServedPredictor, loggedPlace } from "../serving/served";
import type { Item } from "./item";

const answerMilliseconds = 5_000;

/** The models: what the operator, the registry and they themselves say of them. @throws Refused */
export async function modelItems(cluster: Cluster): Promise<readonly Item[]> {
  const registry = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const models = await backend.models(cluster);
  return (await Promise.all(models.map((model) => modelItem(cluster, registry, model)))).flat();
}

async function modelItem(cluster: Cluster, registry: MlflowClient, model: ServedModel): Promise<Item[]> {
  const { name, condition, state, reason, protocol } = model;
  const [registered, predictors] = await Promise.all([
    model.predictors.some((one) => loggedPlace(one) !== undefined)
      ? championOf(registry, name)
      : { version: null, text: "" },
    Promise.all(model.predictors.map((one) => predictorItem(cluster, registry, model, one))),
  ]);
  const told = [reason, registered.text].filter((text) => text !== "").join("; ");
  return [
    {
      part: "model",
      name,
      health: condition === "serves" ? "well" : "ill",
      state: condition === "new" ? "not looked at" : state,
      detail: told,
      ...(condition === "serves" ? {} : { mend: modelMend(model) }),
      facts: { champion: registered.version, protocol, resource: model.resource },
    },
    ...predictors,
  ];
}

function modelMend({ name, condition }: ServedModel): string {
  return condition === "new"
    ? `the serving operator has not looked at ${name}; is it up? npm run doctor`
    : `npm run logs -- ${name}`;
}

async function predictorItem(
  cluster: Cluster,
  registry: MlflowClient,
  { name: model, resource, protocol }: ServedModel,
  predictor: ServedPredictor,
): Promise<Item> {
  const { name, version, ready, wanted, former, traffic, address } = predictor;
  const [health, registered] = await Promise.all([
    ask(cluster, proxyAddress(address, protocolClients[protocol].health)),
    servedVersions(registry, predictor),
  ]);
  const well = health === undefined && ready >= wanted;
  const isDeleted = registered?.length === 0;
  const serves = registered?.length === 1 ? registered[0] : undefined;
  const where = `http://${address.service}.${address.namespace}:${address.port}`;
  const detail = [
    isDeleted ? "its version is not in the registry any more" : "",
    serves === undefined ? "" : `serves version ${serves}`,
    health ?? `answers at ${where}`,
    traffic === 100 ? "" : `${traffic} % of the requests`,
  ];
  return {
    part: "predictor",
    name: [model, name, version].filter((part) => part !== "").join("-"),
    health: well ? (isDeleted ? "warning" : "well") : "ill",
    state: `${ready}/${wanted} ready${former > 0 ? `, ${former} of the version before` : ""}`,
    detail: detail.filter((text) => text !== "").join("; "),
    ...(well ? {} : { mend: `npm run logs -- ${model}` }),
    ...(well && isDeleted ? { mend: `choose another version: npm run models -- update ${model}` } : {}),
    facts: {
      model,
      resource,
      predictor: name,
      hash: version,
      version: serves ?? null,
      ready,
      wanted,
      traffic,
      address: where,
    },
  };
}

/** Asks a model how it is: undefined if it is well, else what is wrong. */
async function ask(cluster: Cluster, address: string): Promise<string | undefined> {
  try {
    const { status, body } = await cluster.send(address, { timeout: answerMilliseconds });
    return status === 200 ? undefined : `answers ${status}: ${body.slice(0, 120)}`;
  } catch (error) {
    return `does not answer: ${messageOf(error)}`;
  }
}

async function championOf(
  registry: MlflowClient,
  model: string,
): Promise<{ version: string | null; text: string }> {
  try {
    const version = (await registry.versionByAlias(model, champion))?.version ?? null;
    return {
      version,
      // It may be registered under another name than its own.
      text: version === null ? "" : `champion is version ${version}`,
    };
  } catch {
    return { version: null, text: "the registry does not answer" };
  }
}

/** The packages of the image that serves a version of the registry, where no prepackaged server can be trusted with it. */
import type { PlatformConfig } from "../../config";
import { wishesOf } from "../../config/decisionChecks";
import { partsOf } from "../../config/graph";
import type { Decision } from "../../config/lock";
import { needsEnvironment } from "../../config/misfits";
import { imagePython } from "../../config/mlflowServer";
import { isScoredBy } from "../../config/scoring";
import { UserError, messageOf } from "../errors";
import { resolve, resolveScoring } from "../modelEnvironment";
import { Environments } from "../python";
import type { Registry } from "./decide";
import { isSameVersion } from "./difference";

type Decided = Omit<Decision, "decided">;
type Consumers = Pick<PlatformConfig, "models"> & Partial<Pick<PlatformConfig, "batch" | "images">>;

const otherwise = "linux/amd64";
/** Docker's platforms, as uv names them for the C library of the images' base. */
const platforms: Readonly<Record<string, string>> = {
  "linux/amd64": "x86_64-manylinux_2_36",
  "linux/arm64": "aarch64-manylinux_2_36",
};

/**
 * Finds packages for the Python of the images, as uv does in the index of Python packages. Asked for several models at once,
 * it installs uv for all of them.
 */
export function packageFinder(): Pick<Registry, "packagesFor" | "scoringFor"> {
  const { signal } = new AbortController();
  const environments = new Environments(signal);
  const uv = () => environments.packageInstaller({ detail: () => undefined });
  const target = (platform: string) => ({ python: imagePython, platform: platforms[platform] });
  return {
    packagesFor: async (requirements, platform) =>
      resolve(requirements, target(platform), await uv(), signal),
    scoringFor: async (requirements, serving, platform) =>
      resolveScoring(requirements, serving, target(platform), await uv(), signal),
  };
}

/** Whether a stack serves a version, or scores tables, by an image that is made for it, and its packages are not known. */
export function lacksEnvironment(wish: string, version: Decided, stack: Consumers): boolean {
  const known = version.environment?.python === imagePython ? version.environment : undefined;
  if (isScoredBy(wish, stack) && known?.scoring === undefined) return true;
  return (
    known === undefined &&
    stack.models
      .flatMap(partsOf)
      .some(({ model }) => wishesOf(model).includes(wish) && needsEnvironment(model, version))
  );
}

/** A version with the packages that were found for it before, if it still needs such: their image is built already. */
export function withKnownEnvironment<T extends Decided>(
  wish: string,
  version: T,
  stack: Consumers,
  locked: Decision | undefined,
): T {
  if (locked?.environment === undefined || !isSameVersion(locked, version)) return version;
  if (!lacksEnvironment(wish, version, stack)) return version;
  const { scoring, ...serving } = locked.environment;
  const environment = isScoredBy(wish, stack) && scoring !== undefined ? { ...serving, scoring } : serving;
  return { ...version, environment };
}

/**
 * A version with the packages of its image, if the stack serves it by one.
 *
 * @throws UserError it does not say what it requires, or that cannot be had.
 */
export async function withEnvironment<T extends Decided>(
  { mlflow, store, packagesFor, scoringFor }: Registry,
  wish: string,
  version: T,
  stack: Consumers,
): Promise<T> {
  if (!lacksEnvironment(wish, version, stack)) return version;
  const what = `${wish} is version ${version.version}`;
  const place = version.files.slice(store.length + 1);
  if (!(await mlflow.artifacts(place)).includes("requirements.txt"))
    throw new UserError(
      `${what}, which has no requirements.txt, so that nobody knows what loads it. Log it again with pip_requirements=[…].`,
    );
  const requirements = await mlflow.artifact(`${place}/requirements.txt`);
  const platform = stack.images?.platform ?? otherwise;
  const known = version.environment?.python === imagePython ? version.environment.packages : undefined;
  try {
    const packages = known ?? (await packagesFor(requirements, platform));
    const scoring = isScoredBy(wish, stack) ? await scoringFor(requirements, packages, platform) : undefined;
    const environment = {
      ...{ python: imagePython, packages: [...packages] },
      ...(scoring && { scoring: [...scoring] }),
    };
    return { ...version, environment };
  } catch (error) {
    throw error instanceof UserError
      ? new UserError(`${what}, and ${messageOf(error)}`, error.exitCode)
      : error;
  }
}

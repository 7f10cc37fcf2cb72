/** What `up` decides by itself: in `dev` everything, elsewhere what it has trained and nobody has decided on yet. */
import type { PlatformConfig } from "../../config";
import { undecided, wishesOf } from "../../config/decisionChecks";
import { type Decisions, lockFile } from "../../config/lock";
import type { ModelConfig } from "../../config/models";
import { registryScheme } from "../../config/registryNames";
import { namespaceNames } from "../../components/capabilities";
import { namespaceAddress } from "../cluster/whose";
import { commandLine } from "../commandLine";
import { UserError } from "../errors";
import { shown } from "../paths";
import { readStackConfig } from "../plan/stackFiles";
import type { Progress } from "../progress";
import { backend } from "../serving/backend";
import type { ClusterTarget } from "../target";
import { keepInService } from "./keepInService";
import { hasMoved, listingOf } from "./listing";
import { decisionsIn, rewriteLock, writeDown } from "./lockFile";
import { recordService } from "./promotion/recordService";
import { registryOf } from "./registry";
import { allWishes, reasonsOf, update } from "./update";

/** What of a stack decides. */
export type DecidingConfig = Pick<PlatformConfig, "environment" | "models"> &
  Partial<Pick<PlatformConfig, "objectStore">>;

/** Reads what a stack wishes for; undefined if it is nothing. @throws UserError its configuration is wrong. */
export async function decidingOf(
  target: Pick<ClusterTarget, "cluster" | "stack">,
  progress: Progress,
): Promise<Deciding | undefined> {
  const { stack } = target;
  const written = Object.values(readStackConfig(stack).config);
  // The SDK takes a second, for which a stack that wishes for nothing should not have to wait.
  if (!written.some((value) => value.includes(registryScheme) || value.includes("training")))
    return undefined;
  const { platformConfig } = await import("../plan/plan.js");
  const config = await platformConfig(stack, {});
  if (allWishes(config.models).size === 0) return undefined;
  return new Deciding(target, config, lockFile(stack, config.environment), progress);
}

/** The decisions of an `up`. */
export class Deciding {
  private readonly own: boolean;

  /** @param file the stack's lock. */
  constructor(
    private readonly target: Pick<ClusterTarget, "cluster" | "stack">,
    private readonly config: DecidingConfig,
    private readonly file: string,
    private readonly progress: Progress,
  ) {
    this.own = config.environment === "dev";
  }

  /**
   * Before anything is deployed: in `dev` takes what the registry has now. Where that cannot be asked, what was decided
   * goes on, and that is said.
   *
   * @throws UserError a model in service would go, as nothing is decided for what the stack names now.
   */
  async before(): Promise<void> {
    const { cluster, stack } = this.target;
    const before = decisionsIn(this.file);
    if (!this.own) {
      await keepInService(this.target, this.config.models, before);
      return;
    }
    const registry = await registryOf(cluster);
    if (registry === undefined) {
      const [home, served] = await Promise.all([
        cluster.get(namespaceAddress(namespaceNames.tracking)),
        backend.models(cluster),
      ]);
      // With the cluster's registry its versions are gone: another one begins with none. Where its server alone is gone,
      // this run brings it back, and what was decided goes on, as it does for what is in service.
      if (home === undefined && served.length === 0) rewriteLock(this.file, stack, () => ({}));
      else
        await keepInService(this.target, this.config.models, before, [
          "The registry is not there to be asked.",
        ]);
      return;
    }
    await this.progress.step("registry", async (step) => {
      const updated = await update(registry, this.config.models, this.config, before);
      const { decisions, changes, failures } = updated;
      await keepInService(this.target, this.config.models, decisions, reasonsOf(failures));
      if (changes.length > 0) writeDown(this.file, stack, updated);
      // Of what was never trained there is nothing yet.
      const later = this.config.models.filter(({ training }) => training !== undefined).flatMap(wishesOf);
      const wrong = failures.filter(({ wish }) => !later.includes(wish) || decisions[wish] !== undefined);
      for (const { reason } of wrong) this.progress.warn(reason);
      const asked = failures.length > 0 ? "not all can be decided yet" : "nothing has changed";
      step.detail(changes.length === 0 ? asked : changes.join("; "));
    });
  }

  /**
   * After all else is up: decides what only now can be, as there was no registry before, or a training has made another
   * version the champion. In `dev` that is whatever has changed; elsewhere what was trained here and never decided on.
   *
   * @returns whether there is more to deploy now.
   * @throws UserError the registry has nothing of that name.
   */
  async after(): Promise<boolean> {
    const before = decisionsIn(this.file);
    const isOpen = (model: ModelConfig) => undecided(model, before).length > 0;
    const trained = this.config.models.filter(({ training }) => training !== undefined);
    const asked = this.own
      ? this.config.models.filter((model) => isOpen(model) || trained.includes(model))
      : trained.filter(isOpen);
    return asked.length > 0 && this.decideRest(asked, before);
  }

  /** When all serves: tells the registry what that is, and outside of `dev` people where the registry has moved on. */
  async record(): Promise<void> {
    await recordService(this.target, { config: this.config, file: this.file }, this.progress);
    if (!this.own) await this.tellWhatHasMoved();
  }

  private async decideRest(models: readonly ModelConfig[], before: Decisions): Promise<boolean> {
    const open = models.some((model) => undecided(model, before).length > 0);
    const registry = await registryOf(this.target.cluster);
    if (registry === undefined && !open) return false;
    if (registry === undefined) throw new UserError("the registry is not there.");
    const updated = await update(registry, models, this.config, before);
    const { changes, failures } = updated;
    if (changes.length === 0 && !(open && failures.length > 0)) return false;
    await this.progress.step("registry", (step) => {
      if (changes.length === 0)
        throw new UserError(
          `${reasonsOf(failures).join("\n")}\n  All else is up. Register such a version, or set the alias ` +
            `(${commandLine("open", this.target.stack, "mlflow")}), and: ${commandLine("up", this.target.stack)}`,
        );
      writeDown(this.file, this.target.stack, updated);
      step.detail(changes.join("; "));
      return Promise.resolve();
    });
    for (const { reason } of failures) this.progress.warn(reason);
    if (!this.own)
      this.progress.warn(
        `commit ${shown(this.file)}, which says what is in service: others would decide anew.`,
      );
    return true;
  }

  private async tellWhatHasMoved(): Promise<void> {
    const { cluster, stack } = this.target;
    const wishing = this.config.models.filter((model) => wishesOf(model).length > 0);
    for (const row of await listingOf(wishing, decisionsIn(this.file), cluster))
      if (row.decided !== null && hasMoved(row))
        this.progress.warn(
          `${row.wish ?? ""} is version ${row.registry?.version ?? ""} in the registry now, and version ${row.decided.version} is ` +
            `what was decided for ${row.model}. To take it: ${commandLine("promote", stack, row.model)}`,
        );
  }
}

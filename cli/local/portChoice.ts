/** The ports of the local target: those that the user asked for, or free ones. */
import { UserError } from "../errors";
import { choosePort, isFree, isNotForHttp, localHost, portsNotForHttp } from "../ports";
import { type ModelPorts, readState } from "./state";

/** Ports that the user asked for; each that is not there is chosen. */
export interface Ports {
  readonly mlflow?: number | undefined;
  readonly frontend?: number | undefined;
  readonly rest?: number | undefined;
  readonly grpc?: number | undefined;
  readonly metrics?: number | undefined;
}

/** The ports that services get where these are free. */
export const usualPorts = {
  mlflow: 5050,
  frontend: 8501,
  rest: 9000,
  grpc: 5000,
  metrics: 6000,
} as const satisfies Ports;

/** Chooses ports; none is given twice. */
export class PortChoice {
  private readonly taken: Set<number>;

  constructor(readonly asked: Ports) {
    this.taken = new Set(this.all());
  }

  /** Checks the ports that the user asked for, before anything is made. @throws UserError all that are in use. */
  async check(): Promise<void> {
    const { mlflow, frontend, models = {} } = readState();
    const ours = new Set([
      mlflow?.port,
      frontend?.port,
      ...Object.values(models).flatMap(({ rest, grpc, metrics }) => [rest, grpc, metrics]),
    ]);
    const asked = this.all();
    // Each once: the one port would be in the way of itself.
    const different = [...new Set(asked)];
    const free = await Promise.all(different.map(async (port) => ours.has(port) || (await isFree(port))));
    const busy = different.filter((_, index) => !free[index]);
    const wrong = await this.notForHttp();
    const twice = different.filter((port) => asked.indexOf(port) !== asked.lastIndexOf(port));
    if (busy.length + twice.length + wrong.length === 0) return;
    throw new UserError(
      [
        ...busy.map((port) => `port ${port} is in use on ${localHost}`),
        ...twice.map((port) => `port ${port} is asked for twice`),
        ...wrong.map((port) => `port ${port} is none for HTTP: ${portsNotForHttp}`),
      ].join("; ") + `. Choose others, or leave the options out: free ones are then taken.`,
    );
  }

  /** The port of a service: the one that was asked for, or its usual one, or any that is free. */
  async of(name: keyof Ports): Promise<number> {
    return this.asked[name] ?? choosePort(usualPorts[name], this.taken);
  }

  /** Three free ports that nobody has asked for. */
  async any(): Promise<ModelPorts> {
    const one = () => choosePort(0, this.taken);
    return { rest: await one(), grpc: await one(), metrics: await one() };
  }

  /** Where people ask a model: where they did before, unless other ports are asked for. */
  async ofModel(before?: ModelPorts): Promise<ModelPorts> {
    const one = async (name: keyof ModelPorts) => this.asked[name] ?? before?.[name] ?? (await this.of(name));
    return { rest: await one("rest"), grpc: await one("grpc"), metrics: await one("metrics") };
  }

  /** The ports that were asked for to speak HTTP, and that neither browsers nor the commands would ask. */
  private async notForHttp(): Promise<number[]> {
    const { mlflow, frontend, rest } = this.asked;
    const found = [mlflow, frontend, rest].map(async (port) => {
      // Whoever listens may keep silent; of these ports fetch says so at once.
      const signal = AbortSignal.timeout(1_000);
      const failure: unknown = await fetch(`http://${localHost}:${port ?? 0}`, { signal }).catch(
        (error: unknown) => error,
      );
      return port !== undefined && isNotForHttp(failure) ? [port] : [];
    });
    return (await Promise.all(found)).flat();
  }

  private all(): number[] {
    return (Object.values(this.asked) as (number | undefined)[]).filter((port) => port !== undefined);
  }
}

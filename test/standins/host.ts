/** The stand-in providers as a process: tells its parent the ports and serves until it is killed. */
import { remoteBackend } from "./channel";
import { startProviders } from "./startProviders";

/** What the process tells when it serves: each provider's port. */
export interface Ready {
  readonly ports: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const ports = await startProviders(remoteBackend());
  process.send?.({ ports } satisfies Ready);
  process.once("disconnect", () => process.exit());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

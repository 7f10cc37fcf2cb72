/**
 * The stand-in providers over a real cluster, as a process: `node --require ./load.cjs test/standins/kubectl/host.ts
 * CONTEXT` prints one line, the value of `PULUMI_DEBUG_PROVIDERS` for the engine, and serves until it is killed.
 */
import { startProviders } from "../startProviders";
import { kubectlBackend } from "./backend";

async function main([context]: readonly string[]): Promise<void> {
  if (context === undefined) throw new Error("which context of the kubeconfig? Give its name.");
  const ports = await startProviders(kubectlBackend(context));
  console.log(
    Object.entries(ports)
      .map(([name, port]) => `${name}:${port}`)
      .join(","),
  );
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit());
process.once("disconnect", () => process.exit());

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

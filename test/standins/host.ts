/** The stand-in providers as a process: tells its parent the ports and serves until it is killed. */
import docker from "@pulumi/docker/package.json";
import kubernetes from "@pulumi/kubernetes/package.json";
import random from "@pulumi/random/package.json";

import { remoteBackend } from "./channel";
import { dockerProvider } from "./docker";
import { kubernetesProvider } from "./kubernetes";
import { randomProvider } from "./random";
import { serve } from "./server";

/** What the process tells when it serves: each provider's port. */
export interface Ready {
  readonly ports: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const backend = remoteBackend();
  const providers = [
    kubernetesProvider(backend, kubernetes.version),
    dockerProvider(backend, docker.version),
    randomProvider(random.version),
  ];
  const ports = await Promise.all(
    providers.map(async (each) => [each.name, await serve(each, backend)] as const),
  );
  process.send?.({ ports: Object.fromEntries(ports) } satisfies Ready);
  process.once("disconnect", () => process.exit());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

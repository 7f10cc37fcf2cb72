import docker from "@pulumi/docker/package.json";
import kubernetes from "@pulumi/kubernetes/package.json";
import random from "@pulumi/random/package.json";

import type { Backend } from "./backend";
import { dockerProvider } from "./docker";
import { kubernetesProvider } from "./kubernetes";
import { randomProvider } from "./random";
import { serve } from "./server";

/** Starts all stand-in providers in this process, under the versions of the real ones. @returns the port of each. */
export async function startProviders(backend: Backend): Promise<Readonly<Record<string, number>>> {
  const providers = [
    kubernetesProvider(backend, kubernetes.version),
    dockerProvider(backend, docker.version),
    randomProvider(random.version),
  ];
  const ports = await Promise.all(
    providers.map(async (each) => [each.name, await serve(each, backend)] as const),
  );
  return Object.fromEntries(ports);
}

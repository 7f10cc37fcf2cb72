/**
 * A process of its own for each measurement: loads a program, evaluates it under mocks, and prints what it took. It
 * knows as little as possible beside Pulumi's SDK, so that the program alone is measured.
 */
import * as pulumi from "@pulumi/pulumi";

import type { Cost } from "./program-load";

async function main(file: string, config: string): Promise<void> {
  const names = new Set<string>();
  await pulumi.runtime.setMocks(
    {
      call: ({ token }) => {
        throw new Error(`the program called ${token}`);
      },
      newResource: ({ type, name, inputs }) => {
        names.add(`${type} ${name}`);
        return { id: `${name}-id`, state: inputs as Record<string, unknown> };
      },
    },
    "mlplatform",
    "dev",
    true,
  );
  pulumi.runtime.setAllConfig(JSON.parse(config) as Record<string, string>);
  await pulumi.runtime.runInPulumiStack(() => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- which program it is, the bench says.
    const program = require(file) as () => unknown;
    return Promise.resolve(program());
  });
  await pulumi.runtime.disconnect();

  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost: Cost = {
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    // In KiB on every system: libuv sees to that.
    megabytes: (maxRSS * 1024) / 1e6,
    resources: names.size,
  };
  process.send?.(cost);
}

const [file = "", config = "{}"] = process.argv.slice(2);
main(file, config).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

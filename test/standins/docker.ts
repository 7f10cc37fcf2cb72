import type { ImageBackend } from "./backend";
import type { Provider } from "./provider";
import { type Values, asText, asValues, changedKeys, plainValues, unknown } from "./values";

/** What the real provider builds for unless it is told otherwise: the platform of its own machine, not the daemon's. */
const ownPlatform = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;

/** A stand-in for the Docker provider: `Image` only. */
export function dockerProvider(backend: ImageBackend, version: string): Provider {
  const build = async (inputs: Values): Promise<{ id: string; outputs: Values }> => {
    const given = plainValues(inputs);
    const name = asText(given["imageName"]);
    const image = await backend.build(name, asValues(given["build"]), given["skipPush"] !== true);
    return {
      id: image.digest,
      outputs: { ...derived(inputs), repoDigest: `${repository(name)}@${image.digest}` },
    };
  };
  return {
    name: "docker",
    version,
    label: (_, inputs) => `Image ${asText(plainValues(inputs)["imageName"])}`,
    check: ({ type }, inputs) => {
      if (type !== "docker:index/image:Image") throw new Error(`no stand-in for ${type}`);
      const build = asValues(inputs["build"]);
      return { ...inputs, build: { ...build, platform: build["platform"] ?? ownPlatform } };
    },
    diff: (known, inputs) => ({ changes: changedKeys(known.inputs, inputs), replaces: [] }),
    preview: (_, inputs) => ({ ...derived(inputs), repoDigest: unknown }),
    create: (_, inputs) => build(inputs),
    update: async (_, inputs) => (await build(inputs)).outputs,
    // The real provider leaves images alone, too: who else uses them it cannot know.
    remove: () => Promise.resolve(),
    // The real provider connects to its daemon before it does anything that it is asked for.
    read: async ({ id, inputs, outputs }) => {
      await backend.image(asText(plainValues(inputs)["imageName"]));
      return { id, inputs, outputs };
    },
  };
}

function derived(inputs: Values): Values {
  const build = asValues(inputs["build"]);
  return {
    ...inputs,
    baseImageName: inputs["imageName"],
    registryServer: asText(inputs["imageName"]).split("/")[0],
    context: build["context"] ?? ".",
    dockerfile: build["dockerfile"] ?? "Dockerfile",
    platform: build["platform"] ?? ownPlatform,
  };
}

/** The image's name without its tag. */
function repository(name: string): string {
  return name.replace(/:[^:/]*$/, "");
}

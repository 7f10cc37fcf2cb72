import * as path from "node:path";

import type { ImageBackend } from "../backend";
import { type Values, asText, asValues } from "../values";
import { CommandFailed, CommandMissing, command } from "./command";

/** The images of the local Docker daemon, by `docker`. */
export function images(): ImageBackend {
  const image = async (name: string) => {
    try {
      const digest = await command("docker", ["image", "inspect", "--format", "{{.Id}}", name]);
      return { name, digest: digest.trim() };
    } catch (error) {
      if (error instanceof CommandFailed && error.message.includes("No such image")) return undefined;
      throw error;
    }
  };
  return {
    image,
    build: async (name, build, push) => {
      try {
        await command("docker", ["build", "--tag", name, ...optionsOf(build)]);
      } catch (error) {
        if (!(error instanceof CommandMissing)) throw error;
        const mend = "name images that are there under mlplatform:images, prebuilt";
        throw new Error(`${name} cannot be built, since ${error.message}: ${mend}`, { cause: error });
      }
      if (push) await command("docker", ["push", name]);
      const built = await image(name);
      if (built === undefined) throw new Error(`${name} was built, and is not there`);
      return built;
    },
    removeImage: async (name) => {
      await command("docker", ["image", "rm", name]);
    },
  };
}

/** The arguments of `docker.Image` as options of the command. */
function optionsOf(build: Values): string[] {
  const option = (flag: string, key: string) => (build[key] === undefined ? [] : [flag, asText(build[key])]);
  const context = asText(build["context"]) || ".";
  return [
    ...["--file", asText(build["dockerfile"]) || path.join(context, "Dockerfile")],
    ...option("--platform", "platform"),
    ...option("--network", "network"),
    ...option("--target", "target"),
    ...Object.entries(asValues(build["args"])).flatMap(([key, value]) => [
      "--build-arg",
      `${key}=${asText(value)}`,
    ]),
    context,
  ];
}

/**
 * Preloaded into the tests' child processes: loads the project's TypeScript as `transpile` has left it.
 *
 * tsx would do as well, and takes two seconds of a processor for each process, of which the kill tests need dozens.
 */
import { readFileSync } from "node:fs";
import Module from "node:module";
import * as path from "node:path";

interface Loaded {
  _compile(code: string, file: string): void;
}
type Loaders = Record<string, (module: Loaded, file: string) => void>;

const project = process.env["TRANSPILED_PROJECT"] ?? "";
const transpiled = process.env["TRANSPILED_TO"] ?? "";
const loaders = (Module as unknown as { _extensions: Loaders })._extensions;

loaders[".ts"] = (module, file) => {
  const output = path.join(transpiled, path.relative(project, file)).replace(/\.ts$/, ".js");
  // Under its own name, so that `__dirname` and the packages around it are the same.
  module._compile(readFileSync(output, "utf8"), file);
};

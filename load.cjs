"use strict";
/**
 * Loads the project's TypeScript: `node --require ./load.cjs FILE.ts`. Pulumi does so too (Pulumi.yaml).
 *
 * A general loader costs more than all of the program, because it looks at each of the thousand files of the packages.
 * This one touches what ends in `.ts` only. It removes the types, which `npm run check` checks, and leaves every line
 * where it stands: stack traces and breakpoints are right without source maps.
 */
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

/** The JavaScript of each file that was loaded once, so that sucrase itself need not be loaded again. */
const keptDir = path.join(__dirname, "node_modules", ".cache", "mlplatform");
/** @type {import("sucrase").Options} */
const options = { transforms: ["typescript", "imports"], disableESTransforms: true };
const maker = JSON.stringify([options, require("sucrase/package.json").version]);

Module._extensions[".ts"] = (module, file) => {
  module._compile(javaScript(fs.readFileSync(file, "utf8"), file), file);
};

/** @type {(source: string, file: string) => string} */
function javaScript(source, file) {
  const end = `\n//${createHash("sha256").update(maker).update(source).digest("hex")}\n`;
  const kept = path.join(keptDir, `${path.relative(__dirname, file)}.js`);
  try {
    const code = fs.readFileSync(kept, "utf8");
    if (code.endsWith(end)) return code;
  } catch {
    // It was not loaded yet.
  }
  const code = require("sucrase").transform(source, { ...options, filePath: file }).code + end;
  if (kept.startsWith(keptDir)) keep(kept, code);
  return code;
}

/** @type {(file: string, code: string) => void} */
function keep(file, code) {
  const partial = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(partial, code);
    // Whole or not at all, for other processes load the program at the same time.
    fs.renameSync(partial, file);
  } catch {
    // Where nothing may be written, each start takes a little longer.
  }
}

// What follows changes how @pulumi/pulumi (3.248.0) starts and what it does for each resource.

const sdk = path.join("@pulumi", "pulumi") + path.sep;
/**
 * Loaded by the SDK at its start, used by it only to serialise functions and to trace itself: the TypeScript compiler,
 * npm's resolver and OpenTelemetry are two thirds of its loading time.
 */
const deferred = /[\\/]typescript-shim$|^@npmcli\/arborist$|^@opentelemetry\/(?!api$)/;
const load = Module._load;

Module._load = function (asked, parent, isMain) {
  // TypeScript has `import()` name the file that a compiler would write: `./thing.js`.
  const request = parent?.filename?.endsWith(".ts") ? asked.replace(/^(\..*)\.js$/, "$1") : asked;
  const get = () => load.call(this, request, parent, isMain);
  if (!parent?.filename?.includes(sdk)) return get();
  if (deferred.test(request)) return whenUsed(get);
  // With the SDK's own source maps, whose paths are wrong, Node older than the fix of nodejs/node#64011 needs 50 s and
  // 3.5 GB to print the stack of an error that ends the program (pulumi/pulumi#21326).
  if (request === "source-map-support/register") return {};
  const exports = get();
  if (request.endsWith("/debuggable")) withoutStacks(exports);
  if (request.endsWith("/log")) withoutDebug(exports);
  return exports;
};

/** @type {(get: () => object) => object} */
function whenUsed(get) {
  // __esModule is answered without a look: it is what TypeScript's import helpers ask at once.
  return new Proxy(
    {},
    { get: (_, key) => key === "__esModule" || get()[key], has: (_, key) => key in get() },
  );
}

const done = new WeakSet();

/** The SDK takes a stack for each of its promises, and shows it where PULUMI_DEBUG_PROMISE_LEAKS is set only. */
function withoutStacks(debuggable) {
  if (done.has(debuggable) || debuggable.debugPromiseLeaks) return;
  done.add(debuggable);
  const { debuggablePromise } = debuggable;
  debuggable.debuggablePromise = (promise, context) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}

/**
 * The SDK sends the engine four debug messages per resource, one after the other, with every secret in plain text. The
 * engine drops them unless asked, but hands them to whoever reads its events.
 */
function withoutDebug(log) {
  if (done.has(log) || process.env.MLPLATFORM_DEBUG) return;
  done.add(log);
  log.debug = () => Promise.resolve();
}

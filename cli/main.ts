import { debugOption, tell } from "./crash";
import { UserError } from "./errors";
import { refuseProc } from "./homeFolder";
import { refuseSwallowed } from "./npmOptions";
import { refuseAmbiguous } from "./options";
import { program } from "./program";
import { withoutProxy } from "./surroundings";
import { systemFailure } from "./systemFailure";

// Whoever read the output has gone, as in `npm run up | head`: end as when the terminal is closed.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.kill(process.pid, "SIGHUP");
  else end(new UserError(`${systemFailure(error, "standard output") ?? error.message}.`));
});
// Nobody is left to be told.
process.stderr.on("error", () => undefined);
process.on("uncaughtException", end);

function end(error: unknown): void {
  process.exit(tell(error));
}

// With NODE_USE_ENV_PROXY Node itself would ask the services of this machine by the proxy.
Object.assign(process.env, withoutProxy());

async function main(): Promise<void> {
  for (const command of program.commands) {
    command.option(debugOption, "show the stack of an error");
    refuseAmbiguous(command);
  }
  refuseProc();
  refuseSwallowed(program, process.argv.slice(2));
  await program.parseAsync();
}

main().catch((error: unknown) => {
  process.exitCode = tell(error);
});

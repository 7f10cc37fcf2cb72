import colors from "picocolors";

import { UserError, messageOf, tellMachines } from "./errors";
import { refuseSwallowed } from "./npmOptions";
import { program } from "./program";

// Whoever read the output has gone, as in `npm run up | head`: end as when the terminal is closed.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.kill(process.pid, "SIGHUP");
});

// A crash is Node's to show, with its stack.
process.on("uncaughtExceptionMonitor", (error: unknown) => {
  tellMachines(messageOf(error));
});

async function main(): Promise<void> {
  refuseSwallowed(program, process.argv.slice(2));
  await program.parseAsync();
}

main().catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  tellMachines(error.message);
  process.stderr.write(`\n${colors.red("Error:")} ${error.message}\n`);
  process.exitCode = error.exitCode;
});

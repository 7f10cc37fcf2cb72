import colors from "picocolors";

import { UserError } from "./errors";
import { refuseSwallowed } from "./npmOptions";
import { program } from "./program";

// Whoever read the output has gone, as in `npm run up | head`: end as when the terminal is closed.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.kill(process.pid, "SIGHUP");
});

async function main(): Promise<void> {
  refuseSwallowed(program, process.argv.slice(2));
  await program.parseAsync();
}

main().catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ event: "error", message: error.message })}\n`);
  process.stderr.write(`\n${colors.red("Error:")} ${error.message}\n`);
  process.exitCode = error.exitCode;
});

/** Where the local target can work. */
import { UserError } from "../errors";
import { homeDir, projectDir } from "../paths";

/** What a path may not have, as a tool would read something else in it. */
const odd: Readonly<Record<string, string>> = {
  "%": "MLflow takes it for a placeholder, and does not start",
  ":": "Python takes it for the end of a path, and does not find the project",
  "?": "MLflow takes it for the end of a path, and would keep its database outside",
  "\n": "it is the end of a line",
};

/** @throws UserError the project, or what the commands write, lies where its tools cannot work. */
export function refuseOddFolder(): void {
  for (const folder of [projectDir, homeDir()]) {
    const found = Object.keys(odd).find((sign) => folder.includes(sign));
    if (found === undefined) continue;
    const mend = folder === projectDir ? "Move the project" : "Name another folder by MLPLATFORM_HOME";
    throw new UserError(
      `the local target cannot work in ${JSON.stringify(folder)}: of ${JSON.stringify(found)} in a path, ${odd[found] ?? ""}. ${mend}.`,
    );
  }
}

import { Progress } from "../cli/progress";
import { type Environment, Environments } from "../cli/python";

/** The Python environments with the tools of tests and checks, made side by side if they are not there. */
export async function developmentEnvironments(): Promise<{ tracking: Environment; serving: Environment }> {
  const progress = Progress.for({});
  const environments = new Environments(new AbortController().signal);
  const ensure = (name: "tracking-dev" | "serving-dev") =>
    progress.step(`Python environment ${name}`, (step) => environments.ensure(name, step));
  try {
    const [tracking, serving] = await Promise.all([ensure("tracking-dev"), ensure("serving-dev")]);
    return { tracking, serving };
  } finally {
    progress.stop();
  }
}

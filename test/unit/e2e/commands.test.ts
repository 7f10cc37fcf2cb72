import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { type CommandEvent, npmRun, stepLine } from "../../e2e/commands";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";

describe("end to end: the project's commands", () => {
  let tools: FakeTools;

  beforeEach(() => {
    tools = new FakeTools();
  });
  afterEach(() => {
    tools.dispose();
  });

  it("are run as their user does, and tell their events as they come", async () => {
    tools.add(
      "npm",
      [
        `echo '{"event": "step", "step": "cluster", "state": "running"}'`,
        `echo 'a line of somebody else'; echo null; echo '"text"'; echo '{"no": "event"}'`,
        `echo 'a warning' >&2`,
        `printf '%s' '{"event": "up", "models": []}'`,
      ].join("\n"),
    );
    const heard: CommandEvent[] = [];
    const events = await npmRun("up", ["--stack", "e2e"], (event) => heard.push(event));
    expect(events).to.deep.equal([
      { event: "step", step: "cluster", state: "running" },
      { event: "up", models: [] },
    ]);
    expect(heard).to.deep.equal(events);
    expect(tools.calls).to.deep.equal(["npm run --silent up -- --json --stack e2e"]);
  });

  it("fail with the errors that they tell as events", async () => {
    tools.add(
      "npm",
      `printf '%s\\n' '{"event": "error", "message": "no cluster\\nanswers"}'; echo 'npm error code 1' >&2; exit 3`,
    );
    const error = await rejection(npmRun("up", [], () => undefined));
    expect(error).to.be.instanceOf(UserError);
    expect(error.message).to.equal("npm run up ended with 3: no cluster\nanswers");
  });

  it("fail with the last lines of all else where they tell no error", async () => {
    const count = 'n=0; while [ $n -lt 40 ]; do n=$((n + 1)); echo "line $n" >&2; done';
    tools.add("npm", `${count}\necho '{"event": "error"}'\nkill -9 $$`);
    const last = Array.from({ length: 30 }, (_, index) => `line ${index + 11}`);
    expect((await rejection(npmRun("down", [], () => undefined))).message).to.equal(
      `npm run down ended with SIGKILL: ${last.join("\n")}`,
    );
  });

  it("are shown by the steps that have ended", () => {
    const step = { event: "step", step: "Postgres" };
    expect(stepLine({ ...step, state: "done", seconds: 12.345, detail: "ready" })).to.equal(
      "  Postgres                       12.3 s  ready",
    );
    expect(stepLine({ ...step, state: "failed", seconds: 300 })).to.equal(
      "  Postgres                      300.0 s failed  ",
    );
    expect(stepLine({ ...step, state: "running" })).to.equal(undefined);
    expect(stepLine({ event: "up", seconds: 3 })).to.equal(undefined);
  });
});

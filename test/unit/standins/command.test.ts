import { expect } from "chai";

import { CommandFailed, CommandMissing, command } from "../../standins/kubectl/command";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";

describe("a command of the stand-ins", () => {
  let tools: FakeTools;

  beforeEach(() => {
    tools = new FakeTools();
  });
  afterEach(() => {
    tools.dispose();
  });

  it("returns what it has written to standard output, and no warning", async () => {
    tools.add("tool", "echo one; echo 'WARNING: the kubeconfig is readable by others' >&2; echo zwölf");
    expect(await command("tool", ["a", "b c"])).to.equal("one\nzwölf\n");
    expect(tools.calls).to.deep.equal(["tool a b c"]);
  });

  it("is given its input, which no argument shows", async () => {
    tools.add("tool", 'while IFS= read -r line; do printf "<%s>" "$line"; done');
    expect(await command("tool", ["-"], "secret: a\nother: b\n")).to.equal("<secret: a><other: b>");
    expect(tools.calls).to.deep.equal(["tool -"]);
  });

  it("fails with what it has written to standard error", async () => {
    tools.add("tool", "echo shown; echo 'error: one' >&2; echo 'and two' >&2; exit 1");
    const error = await rejection(command("tool", []));
    expect(error).to.be.instanceOf(CommandFailed);
    expect(error.message).to.equal("error: one\nand two");
  });

  it("fails with its exit code or its signal where it has written nothing", async () => {
    tools.add("silent", "exit 3").add("killed", "kill -9 $$");
    expect((await rejection(command("silent", []))).message).to.equal("silent ended with 3");
    expect((await rejection(command("killed", []))).message).to.equal("killed ended with SIGKILL");
  });

  it("tells its own failure, also where it has not read a long input", async () => {
    tools.add("tool", "exec <&-; echo 'error: no such context' >&2; exit 1");
    const error = await rejection(command("tool", [], "x".repeat(4_000_000)));
    expect(error.message).to.equal("error: no such context");
  });

  it("is missing where the PATH has none of its name", async () => {
    const error = await rejection(command("tool", [], "input"));
    expect(error).to.be.instanceOf(CommandMissing);
    expect(error.message).to.equal("there is no tool on the PATH");
  });
});

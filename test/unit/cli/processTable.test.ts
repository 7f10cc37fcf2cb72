import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

import { expect } from "chai";

import { procTable, processTable, psTable } from "../../../cli/processTable";

const tables = process.platform === "linux" ? { "/proc": procTable, ps: psTable } : { ps: psTable };

for (const [source, table] of Object.entries(tables)) {
  describe(`the processes of this machine, by ${source}`, () => {
    // Without lsof nobody tells who listens.
    const told = table === procTable || spawnSync("lsof", ["-v"]).error === undefined;
    // Nobody else's, who may run these tests at the same time.
    const variable = `MLPLATFORM_TEST_OF_${process.pid}_`;
    let child: ChildProcess;
    let pid: number;
    before(async () => {
      const env = { ...process.env, [variable]: "a-value", [`${variable}_LONGER`]: "other" };
      child = spawn("sleep", ["60"], { detached: true, env, stdio: "ignore" });
      await once(child, "spawn");
      pid = child.pid ?? 0;
    });
    after(() => child.kill("SIGKILL"));

    it("are told by number, group and start", () => {
      const facts = table.facts(pid);
      expect(facts).to.include({ pid, group: pid });
      expect(facts?.started).to.match(/\d/);
      expect(table.facts(pid)).to.deep.equal(facts);
      expect(table.all().filter((one) => one.pid === pid)).to.deep.equal([facts]);
    });

    it("are told by the environment that they were started with", () => {
      expect(table.variable(pid, variable)).to.equal("a-value");
      expect(table.having(variable)).to.deep.equal([{ pid, group: pid, value: "a-value" }]);
      expect(table.having(variable.slice(0, -1))).to.deep.equal([]);
      expect(table.variable(pid, variable.slice(0, -1))).to.equal(undefined);
      expect(table.variable(process.pid, variable)).to.equal(undefined);
    });

    it("are told by the ports that they listen on", async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
      const { port } = server.address() as { port: number };
      const own = table.facts(process.pid)?.group ?? 0;
      expect(table.listens(own, port)).to.equal(true);
      expect(table.listens(pid, port), "another group").to.equal(!told);
      await new Promise((resolve) => server.close(resolve));
      expect(table.listens(own, port), "closed").to.equal(!told);
    });

    it("are none when they have ended, even if their parent has not asked yet", async () => {
      const parent = spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const ended = Number(line.toString());
      while (processTable.facts(ended) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(table.facts(ended)).to.equal(undefined);
      expect(table.variable(ended, "PATH")).to.equal(undefined);
      parent.kill("SIGKILL");
    });
  });
}

import { readdirSync, rmSync } from "node:fs";

import { expect } from "chai";

import { preview } from "../../../cli/commands/preview";
import { Variables, isolated, temporaryFolder } from "../engine/support";
import { rejection } from "../support/rejection";

describe("npm run preview -- --target cluster", () => {
  const variables = new Variables();
  let home: string;

  beforeEach(() => {
    home = temporaryFolder();
    variables.set({ ...isolated(home), KUBECONFIG: `${home}/none` });
  });
  afterEach(() => {
    variables.restore();
    rmSync(home, { recursive: true });
  });

  it("is refused where the state cannot be known, and leaves nothing", async () => {
    for (const how of [{ target: "cluster" as const }, { context: "staging" }]) {
      const { message } = await rejection(preview({ stack: "staging", ...how }));
      expect(message).to.match(/^stack staging was not brought up from here, .*PULUMI_BACKEND_URL/);
      expect(readdirSync(home)).to.deep.equal([]);
    }
  });

  it("needs the cluster to answer", async () => {
    variables.set({ PULUMI_BACKEND_URL: `file://${home}` });
    const { message } = await rejection(preview({ stack: "staging", target: "cluster" }));
    expect(message).to.match(/^stack staging cannot be reached: there is no Kubernetes cluster/);
  });
});

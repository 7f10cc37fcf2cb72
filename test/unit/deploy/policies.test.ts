import { rmSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { preview } from "../../../cli/commands/preview";
import { policyFindings } from "../../../cli/deploy/policies";
import { deploy } from "../../../cli/deploy/up";
import { UserError } from "../../../cli/errors";
import { planOf } from "../../../cli/plan/plan";
import { Progress } from "../../../cli/progress";
import type { ClusterTarget } from "../../../cli/target";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { Variables, isolated, projectIn, temporaryFolder } from "../engine/support";
import { FakeTools } from "../support/fakeTools";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";

describe("what the policies find", function () {
  this.timeout(60_000);
  const variables = new Variables();
  const rule = "no-exposed-service";
  const found =
    `${rule}, Release tracking-release: values.service.type is LoadBalancer, which opens the Service to the outside of ` +
    "the cluster: leave it at ClusterIP, and use an Ingress: tracking.ingress";
  let home: string;
  let restoreProject: () => void;
  let api: FakeApi;
  let tools: FakeTools;

  before(async () => {
    home = temporaryFolder();
    variables.set(isolated(home));
    restoreProject = await projectIn(path.join(home, "project"), {
      "Pulumi.yaml": "name: mlplatform\n",
      "Pulumi.open.yaml":
        "config: {mlplatform:environment: dev, mlplatform:context: test, mlplatform:tracking: {values: {service: {type: LoadBalancer}}}}\n",
    });
    api = await fakeApi({});
    tools = new FakeTools().add("pulumi", "echo v3.250.0");
  });
  after(async () => {
    tools.dispose();
    await api.close();
    restoreProject();
    variables.restore();
    rmSync(home, { recursive: true });
  });

  it("is shown by a preview, and ends an up in the same words, before anything changes", async () => {
    const { out, result } = await outputOf(() => preview({ stack: "open", offline: true }));
    expect(out).to.contain(`✗ ${found}\n`);
    expect(result).to.equal(3);
    const target = { stack: "open", context: { name: "test" }, cluster: api.cluster } as ClusterTarget;
    let error: Error | undefined;
    await outputOf(async () => {
      const how = { refresh: false, consent: {} };
      error = await rejection(deploy(target, how, new Progress("json"), new AbortController().signal));
    });
    expect(error)
      .to.be.an.instanceOf(UserError)
      .with.property("message")
      .that.matches(/nothing was changed:\n/)
      .and.contains(`  ${found}.\n    Mend it, or let the rule be broken: --allow ${rule}.`);
    expect(api.changes.filter((change) => !change.includes("selfsubjectaccessreviews"))).to.deep.equal([]);
  });

  it("is told and no more where the rule is allowed, of which there must be one", async () => {
    const plan = await planOf("open");
    const [only, ...others] = policyFindings(plan, [rule]);
    expect(others).to.deep.equal([]);
    expect(only).to.include({ severity: "warning", what: found, detail: `allowed by --allow ${rule}`, rule });
    expect(() => policyFindings(plan, ["no-exposed-servce"])).to.throw(
      UserError,
      `--allow: there is no rule no-exposed-servce; did you mean ${rule}?`,
    );
  });
});

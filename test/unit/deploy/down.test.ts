import * as path from "node:path";

import { expect } from "chai";

import { type RemoveOptions, confirmRemoval, forgetStack, removedInWords } from "../../../cli/deploy/down";
import { keepContext, keptContext } from "../../../cli/engine/settings";
import { Progress, type ProgressMode } from "../../../cli/progress";
import { contextOf } from "../../../cli/cluster/kubeconfig";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { Variables, isolated, temporaryFolder } from "../engine/support";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";

describe("forgetting a stack", function () {
  this.timeout(60_000);
  const variables = new Variables();

  beforeEach(() => {
    const home = temporaryFolder();
    variables.set({ ...isolated(home), KUBECONFIG: path.join(home, "none") });
  });
  afterEach(() => {
    variables.restore();
  });

  const forget = (yes: boolean) =>
    outputOf(() =>
      rejection(forgetStack("dev", { yes }, new Progress("plain"), new AbortController().signal)),
    );

  it("is for one that was brought up from here", async () => {
    const { result } = await forget(true);
    expect((result as Error).message).to.equal("stack dev was not brought up from here.");
  });

  it("asks first, and refuses where nobody can be asked", async () => {
    keepContext("dev", "gone");
    const what =
      "The state of stack dev, with its passwords, will be forgotten; what is in context gone stays there.";
    const { out, result } = await forget(false);
    expect(out, "the error says it").to.equal("");
    expect((result as Error).message).to.equal(
      `${what}\nNobody is here to be asked; if that is what you want, add --yes.`,
    );
    expect(keptContext("dev")).to.equal("gone");
  });
});

describe("the confirmation of a removal", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const claim = (namespace: string, name: string, more: object) => ({
    metadata: { namespace, name },
    ...more,
  });
  const claims = (namespace: string) => `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  const intro = "Stack dev in test will be removed, with all its data:";
  const list = "  postgres/data-0 (8Gi)\n  minio-system/minio (10Gi)\n  minio-system/odd (unknown size)";
  const kept = "Stack dev in test will be removed, but for what is protected: the data stay.";
  const yes = "Nobody is here to be asked; if that is what you want, add --yes.";
  const loss = "That loses data: if it is what you want, add --confirm dev.";

  beforeEach(async () => {
    const asked = { resources: { requests: { storage: "10Gi" } } };
    api = await fakeApi({
      [claims("postgres")]: {
        items: [claim("postgres", "data-0", { spec: asked, status: { capacity: { storage: "8Gi" } } })],
      },
      [claims("minio-system")]: {
        items: [claim("minio-system", "minio", { spec: asked }), claim("minio-system", "odd", {})],
      },
      [claims("mlflow")]: [403, { kind: "Status", message: "forbidden" }],
    });
  });
  afterEach(() => api.close());

  const confirm = async (
    options: RemoveOptions,
    mode: ProgressMode = "plain",
    keeps = false,
    types: readonly string[] = [],
    spared: readonly string[] = [],
  ) => {
    const context = contextOf("test", "c", "http://127.0.0.1");
    let error = "";
    const progress = new Progress(mode);
    const { out } = await outputOf(() =>
      confirmRemoval(
        { stack: "dev", context, cluster: api.cluster },
        { resources: types.map((type) => ({ type: `mlplatform:${type}` })), keeps, spared },
        options,
        progress,
      ).catch((reason: unknown) => {
        error = (reason as Error).message;
      }),
    );
    progress.stop();
    return { out, error };
  };

  it("lists the volumes, once, and refuses where nobody can be asked", async () => {
    expect(await confirm({})).to.deep.equal({ out: "", error: `${intro}\n${list}\n${loss}` });
  });

  it("takes the stack's name for an answer and not --yes, and says what goes all the same", async () => {
    const out = `${intro}\n${list}\n`;
    expect(await confirm({ confirm: "dev" })).to.deep.equal({ out, error: "" });
    expect(await confirm({ yes: true })).to.deep.equal({ out: "", error: `${out}${loss}` });
    const other = "--confirm names prod, and this is dev: nothing was changed.";
    expect(await confirm({ confirm: "prod", yes: true })).to.deep.equal({ out, error: other });
  });

  it("tells what stays elsewhere and loses its other half", async () => {
    const told = async (...types: string[]) =>
      (await confirm({ confirm: "dev" }, "plain", false, types)).out.split(`${list}\n`)[1];
    expect(await told("database:PostgresChart", "objectStore:MinioChart")).to.equal("");
    expect(await told("database:ExternalDatabase", "objectStore:MinioChart")).to.equal(
      "The database elsewhere stays; what it lists of runs and versions loses its files.\n",
    );
    expect(await told("database:PostgresChart", "objectStore:ExternalS3")).to.equal(
      "The store elsewhere stays; nothing says any more what its files belong to.\n",
    );
  });

  it("tells programs what would go, and asks them nothing", async () => {
    const { out, error } = await confirm({}, "json");
    expect(JSON.parse(out)).to.deep.equal({
      ...{ event: "removal", stack: "dev", context: "test", keepsData: false },
      volumes: [
        { name: "postgres/data-0", size: "8Gi" },
        { name: "minio-system/minio", size: "10Gi" },
        { name: "minio-system/odd", size: "unknown size" },
      ],
    });
    expect(error).to.equal(`${intro}\n${list}\n${loss}`);
  });

  it("leaves out what may be another one's", async () => {
    const { out } = await confirm({ confirm: "dev" }, "plain", false, [], ["minio-system"]);
    expect(out).to.equal(`${intro}\n  postgres/data-0 (8Gi)\n`);
  });

  it("says that data stay which are protected", async () => {
    expect(await confirm({}, "plain", true)).to.deep.equal({ out: "", error: `${kept}\n${yes}` });
    expect(await confirm({ yes: true }, "plain", true)).to.deep.equal({ out: `${kept}\n`, error: "" });
  });

  it("lists nothing where there are no volumes", async () => {
    for (const address of Object.keys(api.answers)) api.answers[address] = { items: [] };
    expect((await confirm({})).error).to.equal(
      `Stack dev in test will be removed, with all its data.\n${yes}`,
    );
    expect((await confirm({ confirm: "dev" })).error, "more than --yes").to.equal("");
    expect((await confirm({ confirm: "prod" })).error).to.contain(yes);
  });
});

describe("what a removal has removed", () => {
  it("is told whole: by the engine, and beside it", () => {
    const retained = ["namespace postgres", "namespace mlflow"];
    expect(removedInWords({ delete: 62 }, [])).to.equal("62 removed");
    expect(removedInWords({ delete: 62 }, retained)).to.equal(
      "62 removed; namespace postgres and namespace mlflow removed",
    );
    expect(removedInWords({}, retained)).to.equal("namespace postgres and namespace mlflow removed");
    expect(removedInWords({}, [])).to.equal("nothing to do");
  });
});

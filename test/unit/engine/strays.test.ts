import { expect } from "chai";

import type { StateResource } from "../../../cli/engine/state";
import { straysOf, withStrays } from "../../../cli/engine/strays";
import { rejection } from "../support/rejection";

const urn = (name: string) => `urn:pulumi:dev::mlplatform::x::${name}`;
const provider: StateResource = { urn: urn("cluster"), type: "pulumi:providers:kubernetes", id: "1" };
const declared = (type: string, name: string, namespace?: string): StateResource => ({
  ...{ urn: urn(name), type: `kubernetes:core/v1:${type}`, provider: provider.urn },
  inputs: { metadata: { name, ...(namespace !== undefined && { namespace }) } },
});
const space = declared("Namespace", "mlflow");
const secret = declared("Secret", "password", "mlflow");

/** What is found of the declared objects in a cluster that has some, with marks. */
const find = (resources: readonly StateResource[], cluster: Readonly<Record<string, string | undefined>>) =>
  straysOf({ resources: [provider, ...resources] }, [space, secret], {
    owner: "me",
    look: ({ metadata: { name } }) => Promise.resolve(name in cluster ? { owner: cluster[name] } : undefined),
  });

describe("what the cluster has and the state has not", () => {
  it("is looked for in namespaces that the state has", async () => {
    const found = await find([{ ...space, id: "mlflow" }], { mlflow: "me", password: undefined });
    expect(found.map(({ id, provider: by }) => [id, by])).to.deep.equal([
      ["mlflow/password", `${provider.urn}::1`],
    ]);
    expect(await find([], { mlflow: "another", password: undefined })).to.deep.equal([]);
  });

  it("is an empty namespace with the stack's mark; a full one is of a state that is lost", async () => {
    expect((await find([], { mlflow: "me" })).map(({ id }) => id)).to.deep.equal(["mlflow"]);
    expect((await rejection(find([], { mlflow: "me", password: undefined }))).message).to.equal(
      "namespaces mlflow hold what this stack has made, and its state knows nothing of it. Put the state back from a " +
        "copy. If it is lost, and the data with it are not needed any more: kubectl delete namespace mlflow",
    );
  });

  it("takes the place of what it replaces, which is still to go, or is gone", () => {
    const old = { ...secret, id: "mlflow/old" };
    const stray = { ...secret, id: "mlflow/new", dependencies: [urn("later")] };
    const taken = { ...stray, dependencies: [], propertyDependencies: {} };
    expect(withStrays([provider, old], [stray])).to.deep.equal([provider, taken, { ...old, delete: true }]);
    expect(withStrays([{ ...old, pendingReplacement: true }], [stray])).to.deep.equal([taken]);
    expect(withStrays([provider], [stray])).to.deep.equal([provider, stray]);
  });

  it("is what was replaced and waits to be removed, where it is declared again", async () => {
    const replaced = { ...secret, id: "mlflow/password", delete: true };
    const current = { ...secret, id: "mlflow/other" };
    const state = [{ ...space, id: "mlflow" }, current, replaced];
    const found = await find(state, { mlflow: "me", password: undefined });
    expect(found.map(({ id }) => id)).to.deep.equal(["mlflow/password"]);
    const then = withStrays(state, found).map(
      ({ id, delete: goes = false }) => `${id ?? ""} ${String(goes)}`,
    );
    expect(then).to.deep.equal(["mlflow false", "mlflow/password false", "mlflow/other true"]);
  });
});

import { expect } from "chai";

import type { Diagnosis } from "../../../cli/cluster/diagnosis/diagnosis";
import { Interrupted } from "../../../cli/errors";
import {
  began,
  component,
  database,
  ended,
  failed,
  object,
  platform,
  release,
  shown,
  tell,
  toldOf,
  tracking,
} from "./support";

describe("the view of a deployment", () => {
  const secret = object("store", "tracking", "Secret", "mlflow");
  const mlflow = release("mlflow", "tracking", "mlflow");
  const postgres = release("postgres", "database", "postgres");
  const all = [platform, tracking, secret, mlflow, database, postgres];
  const crash: Diagnosis = {
    object: { kind: "Pod", namespace: "mlflow", name: "mlflow-0" },
    release: "mlflow",
    cause: "crash",
    what: "container mlflow of pod mlflow-0 ends with exit code 1",
    severity: "warning",
  };

  it("tells machines of each resource, from its beginning to its end", async () => {
    const events = await toldOf(all, (view) => {
      tell(view, began("create", secret), ended("create", secret), began("create", mlflow));
      tell(view, ...failed("create", mlflow, "no"));
    });
    const event = { event: "resource", part: "MLflow", doing: "creating", namespace: "mlflow" };
    expect(events.filter((one) => one.event === "resource")).to.deep.equal([
      { ...event, kind: "Secret", name: "store", state: "running" },
      { ...event, kind: "Secret", name: "store", state: "done" },
      { ...event, kind: "Release", name: "mlflow", state: "running" },
      { ...event, kind: "Release", name: "mlflow", state: "failed" },
    ]);
  });

  it("begins a part with its first change, and ends it when all of it is as it shall be", async () => {
    const steps = await shown(all, (view) => {
      tell(view, began("create", tracking), ended("create", tracking));
      tell(view, began("create", secret), ended("create", secret));
      tell(view, began("create", mlflow), ended("create", mlflow));
    });
    expect(steps).to.deep.equal([
      "MLflow:",
      "MLflow: creating Secret store",
      "MLflow: 1 of 2 resources; the next wait for other parts",
      "MLflow: creating Release mlflow",
      "MLflow: 2 of 2 resources; the next wait for other parts",
      "MLflow: 2 created",
      "MLflow ✓ 2 created",
    ]);
  });

  it("does not show what stays as it is, and counts it among what is as it shall be", async () => {
    const steps = await shown(all, (view) => {
      tell(view, began("same", postgres), ended("same", postgres), began("same", secret));
      tell(view, ended("same", secret), began("update", mlflow), ended("update", mlflow));
      view.close();
    });
    expect(steps).to.deep.equal([
      "MLflow:",
      "MLflow: updating Release mlflow",
      "MLflow: 2 of 2 resources; the next wait for other parts",
      "MLflow: 1 updated",
      "MLflow ✓ 1 updated",
    ]);
  });

  it("names what has been waited for longest, and how much there is beside it", async () => {
    const steps = await shown(all, (view) => {
      tell(view, began("create", mlflow), began("create", secret), began("create", postgres));
      expect(
        view.busy().map(({ urn, kind, namespace, name, doing }) => [urn, kind, namespace, name, doing]),
      ).to.deep.equal([
        ["mlflow", "Release", "mlflow", "mlflow", "creating"],
        ["store", "Secret", "mlflow", "store", "creating"],
        ["postgres", "Release", "postgres", "postgres", "creating"],
      ]);
      tell(view, ended("create", secret));
      expect(view.busy().map(({ urn }) => urn)).to.deep.equal(["mlflow", "postgres"]);
    });
    expect(steps.filter((line) => line.startsWith("MLflow"))).to.deep.equal([
      "MLflow:",
      "MLflow: creating Release mlflow",
      "MLflow: creating Release mlflow, and 1 more",
      "MLflow: creating Release mlflow",
    ]);
  });

  it("calls what is no object of the cluster by its kind", async () => {
    const part = component("image", "mlplatform:images:AppImage", { image: "house-price-serve" });
    const image = {
      urn: "build",
      type: "docker:index/image:Image",
      parent: "image",
      custom: true,
      inputs: {},
    };
    const steps = await shown([part, image], (view) => {
      tell(view, began("create", image), ...failed("create", image));
    });
    expect(steps).to.deep.equal([
      "image house-price-serve:",
      "image house-price-serve: creating Image",
      "image house-price-serve ✗ Image failed",
    ]);
  });

  it("shows nothing of the stack, its providers and the components themselves", async () => {
    const provider = { urn: "cluster", type: "pulumi:providers:kubernetes", custom: true, inputs: {} };
    const stack = { urn: "stack", type: "pulumi:pulumi:Stack", custom: false, inputs: {} };
    const steps = await shown(all, (view) => {
      for (const one of [stack, provider, tracking]) tell(view, began("create", one), ended("create", one));
      view.close(new Error("gone wrong"));
    });
    expect(steps).to.deep.equal([]);
  });

  it("takes in what the program is not known to have", async () => {
    const other = object("other", "tracking", "ConfigMap", "mlflow");
    const steps = await shown([platform, tracking], (view) => {
      tell(view, began("create", other), ended("create", other));
    });
    expect(steps.at(-1)).to.equal("MLflow ✓ 1 created");
  });

  it("shows a replacement as one step, whichever comes first", async () => {
    const only = [platform, database, postgres];
    const deletedFirst = await shown(only, (view) => {
      for (const op of ["delete-replaced", "replace", "create-replacement"])
        tell(view, began(op, postgres), ended(op, postgres));
    });
    expect(deletedFirst).to.deep.equal([
      "Postgres:",
      "Postgres: removing Release postgres",
      "Postgres: 0 of 1 resources; the next wait for other parts",
      "Postgres: creating Release postgres",
      "Postgres: 1 of 1 resources; the next wait for other parts",
      "Postgres: 1 removed, 1 replaced",
      "Postgres ✓ 1 removed, 1 replaced",
    ]);
    const createdFirst = await shown([...only], (view) => {
      for (const op of ["create-replacement", "replace"])
        tell(view, began(op, postgres), ended(op, postgres));
    });
    expect(createdFirst).to.deep.equal([
      "Postgres:",
      "Postgres: creating Release postgres",
      "Postgres: 1 of 1 resources; the next wait for other parts",
      "Postgres: 1 replaced",
      "Postgres ✓ 1 replaced",
    ]);
  });

  it("shows how parts are removed, and ends those of which something is kept", async () => {
    const steps = await shown(all, (view) => {
      tell(view, began("delete", mlflow), ended("delete", mlflow));
      tell(view, began("delete", postgres), ended("delete", postgres));
      view.close();
    });
    expect(steps).to.deep.equal([
      "MLflow:",
      "MLflow: removing Release mlflow",
      "MLflow: 1 of 2 resources; the next wait for other parts",
      "Postgres:",
      "Postgres: removing Release postgres",
      "Postgres: 1 of 1 resources; the next wait for other parts",
      "Postgres: 1 removed",
      "MLflow: 1 removed",
      "Postgres ✓ 1 removed",
      "MLflow ✓ 1 removed",
    ]);
  });

  it("says why something takes its time, until that is over, and no name twice", async () => {
    const steps = await shown(all, (view) => {
      tell(view, began("create", mlflow), began("create", postgres));
      view.explain([{ ...crash, release: "another" }, crash]);
      view.explain([{ ...crash, what: "Release mlflow runs for 9 s" }]);
      view.explain([]);
    });
    expect(steps.filter((line) => line.startsWith("MLflow"))).to.deep.equal([
      "MLflow:",
      "MLflow: creating Release mlflow",
      "MLflow: creating Release mlflow: container mlflow of pod mlflow-0 ends with exit code 1",
      "MLflow: Release mlflow runs for 9 s",
      "MLflow: creating Release mlflow",
    ]);
    expect(steps.join("\n")).to.not.match(/Postgres.*container/);
  });

  it("marks the part of what failed: with the cluster's reason, else the engine's", async () => {
    const helm = '1 error occurred:\n\t* Helm release "mlflow/mlflow" failed\n\n';
    const byCluster = await shown(all, (view) => {
      tell(view, began("create", mlflow), began("create", postgres));
      view.explain([crash]);
      tell(view, ...failed("create", mlflow, helm));
      view.close(new Error("update failed"));
    });
    expect(byCluster.slice(-2)).to.deep.equal([
      "MLflow ✗ container mlflow of pod mlflow-0 ends with exit code 1",
      "Postgres – stopped",
    ]);
    const byEngine = await shown(all, (view) => {
      tell(view, began("create", mlflow), ...failed("create", mlflow, helm));
    });
    expect(byEngine.at(-1)).to.equal('MLflow ✗ Helm release "mlflow/mlflow" failed');
    const byNobody = await shown(all, (view) => {
      tell(view, began("create", mlflow), ...failed("create", mlflow));
    });
    expect(byNobody.at(-1)).to.equal("MLflow ✗ Release mlflow failed");
  });

  it("marks the part for whose sake all is stopped, and no other", async () => {
    const hopeless = new Error("MLflow does not come up: it crashes");
    const steps = await shown(all, (view) => {
      tell(view, began("create", postgres), began("create", mlflow));
      const culprit = view.busy().find(({ urn }) => urn === "mlflow");
      view.stopping(hopeless, culprit);
      tell(view, ...failed("create", postgres, "creation was cancelled"));
      tell(view, ...failed("create", mlflow, "creation was cancelled"));
      view.close(hopeless);
    });
    expect(steps.slice(-2)).to.deep.equal([
      "MLflow ✗ MLflow does not come up: it crashes",
      "Postgres – stopped",
    ]);
    expect(steps.join("\n")).to.not.contain("cancelled");
  });

  it("says at once, and once, that it is stopping", async () => {
    const events = await toldOf(all, (view) => {
      view.stopping(new Interrupted("SIGTERM"));
      view.stopping(new Interrupted("SIGTERM"));
    });
    expect(events.map(({ event }) => event)).to.deep.equal(["warning"]);
  });

  it("takes nothing for failed that the user has stopped", async () => {
    const steps = await shown(all, (view) => {
      tell(view, began("create", postgres), began("create", mlflow));
      view.stopping(new Interrupted("SIGINT"));
      tell(view, ...failed("create", postgres, "creation was cancelled"));
      view.close(new Interrupted("SIGINT"));
    });
    expect(steps.slice(-2)).to.deep.equal(["Postgres – stopped", "MLflow – stopped"]);
  });
});

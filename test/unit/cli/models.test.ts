import { expect } from "chai";

import { chosenModels, defaultModels } from "../../../cli/local/models";
import { servingEnvironment, trainingEnvironment } from "../../../cli/lockFiles";
import { type Manifest, type OwnServed, hasOwnServer, manifests } from "../../../config/manifests";

describe("the models of the local target", () => {
  const names = (models: readonly Manifest[]) => models.map(({ name }) => name);

  it("are those that say so of themselves, all, or those that are named", () => {
    expect(names(chosenModels(undefined).trained)).to.deep.equal(names(defaultModels));
    expect(defaultModels).to.have.length(1);
    expect(chosenModels("all", true)).to.deep.equal({ trained: manifests, registered: [] });
    for (const { name } of manifests)
      expect(names(chosenModels(` ${name},${name}`).trained)).to.deep.equal([name]);
  });

  it("are those of the registry, too, where there is one", () => {
    const [{ name }] = manifests as [Manifest];
    const { trained, registered } = chosenModels(`${name}, churn,churn`, true);
    expect(names(trained)).to.deep.equal([name]);
    expect(registered).to.deep.equal(["churn"]);
  });

  it("are refused where there are none of that name", () => {
    expect(() => chosenModels("", true)).to.throw('there is no model "". There are ');
    expect(() => chosenModels("house-prise,house-price,x", false)).to.throw(
      /^--models: there is no model "house-prise" \(did you mean house-price\?\), "x"\. There are .*house-price, .*; or say all\.$/,
    );
  });

  it("are served in an environment of their own, and trained in the one that is there where that will do", () => {
    const [model] = manifests.filter(hasOwnServer) as [OwnServed];
    expect(servingEnvironment(model)).to.equal(model.serving.image);
    expect(trainingEnvironment(model)).to.equal("tracking");
    // What serves needs packages that MLflow's server has not.
    const odd = { ...model, training: { ...model.training, image: model.serving.image } };
    expect(trainingEnvironment(odd)).to.equal(model.serving.image);
    for (const standard of manifests.filter((one) => !hasOwnServer(one)))
      expect([servingEnvironment(standard), trainingEnvironment(standard)]).to.deep.equal([
        "mlserver",
        "mlserver",
      ]);
  });
});

import { expect } from "chai";

import { AppImage, type AppImageArgs } from "../../../components/images/appImage";
import { contentHash } from "../../../components/images/dockerfile";
import { at, consume, create, type Created } from "./support/created";

function image(args: Partial<AppImageArgs> = {}): Promise<Created> {
  return create(() => {
    const { reference } = new AppImage("it", { image: "house-price-serve", ...args });
    consume("image-user", reference);
    return { reference };
  });
}

const python =
  "library/python:3.12.12-slim-bookworm@sha256:593bd06efe90efa80dc4eee3948be7c0fde4134606dd40d8dd8dbcade98e669c";
const base = { PYTHON_IMAGE: `docker.io/${python}` };

describe("AppImage", () => {
  let created: Created;
  before(async () => {
    created = await image();
  });

  it("builds one image from its Dockerfile, named by paths that are the same on every machine", () => {
    expect(created.list).to.deep.equal(["AppImage it", "ConfigMap image-user", "Image it-build"]);
    expect(created.inputs("AppImage")).to.deep.equal({ image: "house-price-serve" });
    expect(created.inputs("Image")).to.deep.equal({
      imageName: `localhost/mlplatform/house-price-serve:${contentHash("house-price-serve", undefined, base)}`,
      skipPush: true,
      buildOnPreview: false,
      build: { context: "ml-app", dockerfile: "ml-app/house_price/serve/Dockerfile", args: base },
    });
  });

  it("builds the other image from the other Dockerfile", async () => {
    const train = await image({ image: "house-price-train" });
    expect(at(train.inputs("Image"), "build", "dockerfile")).to.equal("ml-app/house_price/train/Dockerfile");
    expect(train.outputs["reference"]).to.match(/^localhost\/mlplatform\/house-price-train:[0-9a-f]{12}$/);
  });

  it("pushes to the registry that is named, without credentials of its own", async () => {
    const pushed = await image({ registry: "registry.example.com/team" });
    const inputs = pushed.inputs("Image");
    expect(inputs["skipPush"]).to.equal(false);
    expect(inputs["imageName"]).to.match(/^registry\.example\.com\/team\/house-price-serve:[0-9a-f]{12}$/);
    expect(inputs["registry"]).to.equal(undefined);
  });

  it("has the same tag wherever it is pushed", async () => {
    const tag = (reference: unknown) => String(reference).split(":").at(-1);
    const pushed = await image({ registry: "registry.example.com/team", network: "host" });
    expect(tag(pushed.outputs["reference"])).to.equal(tag(created.outputs["reference"]));
  });

  it("builds with the platform, network and arguments that it is given", async () => {
    const other = await image({
      platform: "linux/arm64",
      network: "host",
      buildArgs: { PIP_INDEX_URL: "https://pypi.example.com" },
    });
    const args = { ...base, PIP_INDEX_URL: "https://pypi.example.com" };
    expect(at(other.inputs("Image"), "build")).to.deep.equal({
      context: "ml-app",
      dockerfile: "ml-app/house_price/serve/Dockerfile",
      args,
      platform: "linux/arm64",
      network: "host",
    });
    expect(other.outputs["reference"]).to.equal(
      `localhost/mlplatform/house-price-serve:${contentHash("house-price-serve", "linux/arm64", args)}`,
    );
  });

  it("is built for the daemon's platform, with the tag that a preview without a daemon shows", async () => {
    const here = await image({ daemonPlatform: "linux/arm64" });
    expect(at(here.inputs("Image"), "build", "platform")).to.equal("linux/arm64");
    expect(here.outputs).to.deep.equal(created.outputs);
    const asked = await image({ platform: "linux/amd64", daemonPlatform: "linux/arm64" });
    expect(at(asked.inputs("Image"), "build", "platform")).to.equal("linux/amd64");
  });

  it("stays as it was built where nobody has asked the daemon, and in a registry, which has others", async () => {
    const pushed = await image({ registry: "registry.example.com/team", daemonPlatform: "linux/arm64" });
    for (const one of [created, pushed])
      expect(one.one("Image").options.ignoreChanges).to.deep.equal(["build.platform"]);
    expect(at(pushed.inputs("Image"), "build", "platform")).to.equal("linux/arm64");
    for (const known of [{ platform: "linux/amd64" }, { daemonPlatform: "linux/amd64" }])
      expect((await image(known)).one("Image").options).to.not.have.property("ignoreChanges");
  });

  it("takes its base image from the mirror where there is one", async () => {
    const mirrored = await image({ mirror: { images: "mirror.example.com" } });
    expect(at(mirrored.inputs("Image"), "build", "args")).to.deep.equal({
      PYTHON_IMAGE: `mirror.example.com/${python}`,
    });
  });

  it("tells what to run, which is known at once", () => {
    expect(created.outputs["reference"]).to.equal(created.inputs("Image")["imageName"]);
  });

  it("tells what to run in a preview too", async () => {
    const preview = await create(
      () => ({ reference: new AppImage("it", { image: "house-price-serve" }).reference }),
      {},
      { preview: true },
    );
    expect(preview.outputs).to.deep.equal({ reference: created.outputs["reference"] });
  });
});

import { createServer } from "node:net";

import { expect } from "chai";

import type { AppImageBuild } from "../../../cli/cluster/images";
import { recordStack } from "../../../cli/plan/plan";
import { chartPlaces, chartProblems } from "../../../cli/preflight/charts";
import { Inspection } from "../../../cli/preflight/inspection";
import { dockerProblems } from "../../../cli/preflight/ownImages";
import { ports } from "../../../cli/preflight/ports";
import { isRegistry, registryUrl, unreached } from "../../../cli/preflight/reach";
import {
  byRegistry,
  keptImageProblems,
  missingImages,
  registryProblems,
} from "../../../cli/preflight/registries";
import { node } from "../cluster/nodes";
import { rejection } from "../support/rejection";
import { serveHttp } from "../support/servers";

const never = new AbortController().signal;
const error = (what: string, mend: string) => ({ severity: "error", what, mend });
const warning = (what: string, mend: string) => ({ severity: "warning", what, mend });

describe("pre-flight: asking a server whether it is there", () => {
  it("takes a registry that wants to know who asks, and a repository that answers well", async () => {
    const server = await serveHttp((request, response) => {
      response.writeHead(request.url === "/v2/" ? 401 : 404).end();
    });
    const isWell = (status: number) => status < 400;
    expect(await unreached(`${server.url}/v2/`, isRegistry, never)).to.equal(undefined);
    expect(await unreached(`${server.url}/index.yaml`, isWell, never)).to.equal(
      `${server.url}/index.yaml answers 404`,
    );
    await server.close();
  });

  it("says why it does not answer", async () => {
    const url = "http://127.0.0.1:1/v2/";
    expect(await unreached(url, isRegistry, never)).to.match(
      /^http:\/\/127\.0\.0\.1:1\/v2\/ does not answer: .+$/,
    );
    const silent = await serveHttp(() => undefined);
    expect(await unreached(silent.url, isRegistry, never)).to.equal(
      `${silent.url} does not answer: The operation was aborted due to timeout`,
    );
    await silent.close();
    const stopped = AbortSignal.abort(new Error("stopped"));
    expect((await rejection(unreached(url, isRegistry, stopped))).message).to.equal("stopped");
  });

  it("knows where registries are", () => {
    expect(registryUrl("docker.io")).to.equal("https://registry-1.docker.io/v2/");
    expect(registryUrl("quay.io")).to.equal("https://quay.io/v2/");
    expect(registryUrl("localhost:5000")).to.equal("http://localhost:5000/v2/");
    expect(registryUrl("127.0.0.1:5000")).to.equal("http://127.0.0.1:5000/v2/");
  });
});

describe("pre-flight: charts", () => {
  it("come from the places that the plan names, each asked once", async () => {
    expect(chartPlaces(await recordStack("dev"))).to.deep.equal([
      { url: "https://registry-1.docker.io/v2/", registry: true, charts: ["postgres", "minio"] },
      {
        url: "https://storage.googleapis.com/seldon-charts/index.yaml",
        registry: false,
        charts: ["seldon-core-operator"],
      },
      {
        url: "https://community-charts.github.io/helm-charts/index.yaml",
        registry: false,
        charts: ["mlflow"],
      },
    ]);
  });

  it("that cannot be fetched are told together", () => {
    const places = [
      { url: "a", registry: true, charts: ["postgres", "minio"] },
      { url: "b", registry: false, charts: ["seldon-core-operator"] },
      { url: "c", registry: false, charts: ["mlflow"] },
    ];
    expect(chartProblems(places, [undefined, undefined, undefined])).to.deep.equal([]);
    expect(chartProblems(places, ["a answers 500", undefined, "c does not answer"])).to.deep.equal([
      warning(
        "charts cannot be fetched from here: postgres and minio (a answers 500); mlflow (c does not answer)",
        "Check the network; or keep the charts in a folder or a registry of your own, and name it: mirror.charts",
      ),
    ]);
  });
});

describe("pre-flight: images", () => {
  const use = (reference: string, built = false) => ({ reference, built, pin: undefined, resources: [] });
  const digest = `sha256:${"0".repeat(64)}`;

  it("are looked for where a node does not say that it has them", () => {
    const images = [
      use(`docker.io/library/postgres:18.6@${digest}`),
      use("docker.io/burakince/mlflow:3.15.1"),
      use("quay.io/prometheuscommunity/postgres-exporter:v0.20.1"),
      use("localhost/mlplatform/house-price-serve:abc", true),
      use("registry.example.com/team/house-price-train:abc", true),
    ];
    const has = ["burakince/mlflow:3.15.1", `docker.io/library/postgres@${digest}`];
    const missing = missingImages(images, [
      node({ images: has }),
      node({ images: [...has, "quay.io/prometheuscommunity/postgres-exporter:v0.20.1"] }),
    ]);
    expect(Object.fromEntries(byRegistry(missing))).to.deep.equal({
      "quay.io": ["quay.io/prometheuscommunity/postgres-exporter:v0.20.1"],
      "registry.example.com": ["registry.example.com/team/house-price-train:abc"],
    });
  });

  it("are not missed where a node may have them and not say so", () => {
    const reference = "docker.io/burakince/mlflow:3.15.1";
    const missed = (images: readonly (string | readonly string[])[], asked = reference) =>
      missingImages([use(asked)], [node({ images })]).length > 0;
    const others = (count: number) => Array.from({ length: count }, (_, index) => `other:${index}`);
    expect(missed(others(49))).to.equal(true);
    expect(missed(others(50)), "a list of fifty images").to.equal(false);
    expect(missed([others(4)])).to.equal(true);
    expect(missed([others(5)]), "an image of five names").to.equal(false);
    const pinned = `${reference}@${digest}`;
    expect(missed(["burakince/mlflow:3.15.0"], pinned)).to.equal(true);
    expect(missed(["burakince/mlflow:3.15.1"], pinned), "an image that was loaded").to.equal(false);
  });

  it("from registries that do not answer are told together", () => {
    const hosts = new Map([
      ["docker.io", ["a", "b"]],
      ["quay.io", ["c"]],
    ]);
    expect(registryProblems(hosts, [undefined, undefined])).to.deep.equal([]);
    expect(registryProblems(hosts, ["it does not answer", "it answers 500"])).to.deep.equal([
      warning(
        "registries that the nodes have to pull from cannot be reached from here: docker.io for 2 images " +
          "(it does not answer); quay.io for 1 image (it answers 500)",
        "Go on if the nodes reach them; else name a registry that they reach: mirror.images",
      ),
    ]);
  });

  it("in no registry have to be on the nodes", () => {
    expect(keptImageProblems(["docker.io/library/postgres:18.6"])).to.deep.equal([]);
    expect(keptImageProblems(["localhost/mlplatform/house-price-serve:1"])).to.deep.equal([
      warning(
        "localhost/mlplatform/house-price-serve:1 is in no registry, and not on every node",
        "Load it into the nodes, or take it out of images.prebuilt to have it built",
      ),
    ]);
  });
});

describe("pre-flight: Docker", () => {
  const build = (platform?: string): AppImageBuild => ({
    urn: "urn:image",
    name: "house-price-serve",
    reference: "localhost/mlplatform/house-price-serve:abc",
    context: "ml-app",
    dockerfile: "ml-app/house_price/serve/Dockerfile",
    args: {},
    platform,
    network: undefined,
    pushed: false,
  });
  const answers = { state: "answers", platform: "linux/amd64" } as const;

  it("answers, and builds for the nodes", () => {
    expect(dockerProblems([build()], "load", answers, [node()])).to.deep.equal([]);
    expect(
      dockerProblems([build("linux/arm64")], "here", answers, [node({ architecture: "arm64" })]),
    ).to.deep.equal([]);
  });

  it("does not answer", () => {
    const silent = { state: "silent", reason: "Cannot connect to the Docker daemon" } as const;
    expect(dockerProblems([build()], "here", silent, [node()])).to.deep.equal([
      error(
        "Docker does not answer, and house-price-serve is to be built: Cannot connect to the Docker daemon",
        "Start Docker, or name built images: images.prebuilt",
      ),
    ]);
  });

  it("has no client, without which nothing is loaded, and the program may still build", () => {
    const problem = [
      "there is no docker on the PATH, and house-price-serve is to be built",
      "Install Docker (https://docs.docker.com/get-started/get-docker/), or name built images: images.prebuilt",
    ] as const;
    const none = { state: "no client" } as const;
    expect(dockerProblems([build()], "load", none, [node()])).to.deep.equal([error(...problem)]);
    expect(dockerProblems([build()], "here", none, [node()])).to.deep.equal([warning(...problem)]);
  });

  it("would build for other processors", () => {
    expect(dockerProblems([build()], "load", answers, [node({ architecture: "arm64" })])).to.deep.equal([
      error(
        "house-price-serve would be built for linux/amd64, and the nodes are arm64",
        "Set images.platform: linux/arm64, which takes a Docker that emulates it",
      ),
    ]);
  });
});

describe("pre-flight: ports", () => {
  it("that were asked for are free", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen({ host: "127.0.0.1", port: 0 }, resolve));
    const { port } = blocker.address() as { port: number };
    const given = { target: {}, ports: [port] } as unknown as ConstructorParameters<typeof Inspection>[0];
    const inspection = new Inspection(given, never);
    expect(await ports.find(inspection)).to.deep.equal([
      error(
        `port ${port} is in use on this machine`,
        "Free it, or ask for another one; without a number, one that is free is taken",
      ),
    ]);
    await new Promise((resolve) => blocker.close(resolve));
    expect(await ports.find(inspection)).to.deep.equal([]);
  });
});

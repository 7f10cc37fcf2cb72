import { expect } from "chai";

import { pinsReport } from "../../../cli/pins/report";
import { verifyPins } from "../../../cli/pins/verify";
import type { ChartPin, ImagePin } from "../../../pins";

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const image: ImagePin = {
  repository: "docker.io/library/postgres",
  tag: "18.6",
  digest: digest("a"),
  licence: "PostgreSQL",
  why: "",
};
const chart: ChartPin = {
  name: "mlflow",
  repository: "https://charts.example.com",
  version: "1.2.3",
  appVersion: "3",
  licence: "MIT",
  why: "",
};
const stored: ChartPin = { ...chart, name: "minio", repository: "oci://registry.example.com/team" };
const base = "https://registry-1.docker.io/v2/library/postgres";

/** A registry that wants a token, and a repository of charts. */
function fake(changes: Readonly<Record<string, Response | undefined>> = {}) {
  const asked: string[] = [];
  const index = 'entries: { mlflow: [{ version: 1.2.3, annotations: { "artifacthub.io/license": MIT } }] }';
  const manifest = { config: { digest: digest("c") } };
  const answers: Record<string, () => Response> = {
    [`${base}/manifests/18.6`]: () =>
      Response.json(
        { manifests: [{ digest: digest("b"), platform: { os: "linux", architecture: "amd64" } }] },
        { headers: { "docker-content-digest": digest("a") } },
      ),
    [`${base}/manifests/${digest("b")}`]: () => Response.json(manifest),
    [`${base}/blobs/${digest("c")}`]: () =>
      Response.json({ config: { Labels: { "org.opencontainers.image.licenses": "PostgreSQL" } } }),
    "https://charts.example.com/index.yaml": () => new Response(index),
    "https://registry.example.com/v2/team/minio/manifests/1.2.3": () =>
      Response.json({ annotations: { "org.opencontainers.image.licenses": "MIT" } }),
  };
  const ask = (url: string, init?: RequestInit) => {
    asked.push(url);
    if (url.startsWith("https://auth.example.com")) return Promise.resolve(Response.json({ token: "t0" }));
    const { Authorization } = (init?.headers ?? {}) as Record<string, string>;
    if (url.startsWith(base) && Authorization !== "Bearer t0") {
      const wanted = 'Bearer realm="https://auth.example.com/token",service="hub",scope="pull"';
      return Promise.resolve(new Response("", { status: 401, headers: { "www-authenticate": wanted } }));
    }
    const answer = url in changes ? changes[url] : answers[url]?.();
    return answer === undefined ? Promise.reject(new Error("no route")) : Promise.resolve(answer);
  };
  return { ask, asked };
}

const gone = () => new Response("", { status: 404 });

describe("what is pinned", () => {
  const look = (changes?: Parameters<typeof fake>[0]) =>
    verifyPins({ images: [image], charts: [chart, stored] }, fake(changes).ask);
  const said = async (changes: Parameters<typeof fake>[0]) =>
    (await look(changes)).map(({ severity, what }) => `${severity}: ${what}`);

  it("is asked for with the token that the registry wants, and is as it was", async () => {
    const { ask, asked } = fake();
    expect(await verifyPins({ images: [image], charts: [chart, stored] }, ask)).to.deep.equal([]);
    expect(asked).to.include("https://auth.example.com/token?service=hub&scope=pull");
    expect(pinsReport([])).to.equal("");
  });

  it("is told where it is gone", async () => {
    expect(
      await said({
        [`${base}/manifests/18.6`]: gone(),
        "https://charts.example.com/index.yaml": new Response("entries: { mlflow: [{ version: 1.2.4 }] }"),
        "https://registry.example.com/v2/team/minio/manifests/1.2.3": gone(),
      }),
    ).to.deep.equal([
      "error: image docker.io/library/postgres:18.6 is not published any more",
      "error: chart mlflow 1.2.3 is not published any more",
      "error: chart minio 1.2.3 is not published any more",
    ]);
  });

  it("may have a tag that moved on, as long as what is pinned is there", async () => {
    const moved = () => Response.json({}, { headers: { "docker-content-digest": digest("f") } });
    const pinned = `${base}/manifests/${digest("a")}`;
    expect(await said({ [`${base}/manifests/18.6`]: moved(), [pinned]: Response.json({}) })).to.deep.equal(
      [],
    );
    expect(await said({ [`${base}/manifests/18.6`]: moved(), [pinned]: gone() })).to.deep.equal([
      `error: image docker.io/library/postgres:18.6 is another image now, and the pinned one is gone: ${digest("a")}`,
    ]);
  });

  it("is told where it says another licence of itself, and not where it says none, or several", async () => {
    const labels = (text?: string) =>
      Response.json({
        config: { Labels: text === undefined ? null : { "org.opencontainers.image.licenses": text } },
      });
    const place = `${base}/blobs/${digest("c")}`;
    expect(await said({ [place]: labels("BUSL-1.1") })).to.deep.equal([
      "error: image docker.io/library/postgres:18.6 is under BUSL-1.1 by what it says of itself, and pins.ts says PostgreSQL",
    ]);
    for (const text of [undefined, "MIT AND PostgreSQL"])
      expect(await said({ [place]: labels(text) })).to.deep.equal([]);
  });

  it("that could not be asked for is a warning, and alone no issue", async () => {
    const findings = await look({
      [`${base}/manifests/18.6`]: new Response("", { status: 503 }),
      "https://charts.example.com/index.yaml": undefined,
    });
    expect(findings.map(({ severity, what }) => `${severity}: ${what}`)).to.deep.equal([
      "warning: image docker.io/library/postgres:18.6 could not be looked at: it answers 503",
      "warning: chart mlflow 1.2.3 could not be looked at: no route",
    ]);
    expect(pinsReport(findings)).to.equal("");
    expect(pinsReport([...findings, { severity: "error", what: "a|b", mend: "c" }])).to.contain(
      "| ❌ | `a\\|b` | `c` |",
    );
  });
});

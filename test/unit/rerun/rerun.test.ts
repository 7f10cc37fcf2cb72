import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { MlflowClient } from "../../../cli/mlflow";
import { differences, surroundings } from "../../../cli/rerun/comparing";
import { findData } from "../../../cli/rerun/data";
import { fits, pinsOf } from "../../../cli/rerun/libraries";
import { type RunRecord, findRun } from "../../../cli/rerun/record";

const id = "0f".repeat(16);
const record: RunRecord = {
  format: 1,
  training: "house_price",
  code: { "house_price/model.json": "00".repeat(20), "house_price/train/__main__.py": "11".repeat(20) },
  data: {
    address: "/nowhere/houses.csv",
    sha256: sha256("rows"),
    kept: `s3://datasets/copies/${"2d".repeat(16)}/artifacts/data.csv`,
  },
  python: "3.12.12",
  machine: "Linux x86_64",
  libraries: { numpy: "1.26.4" },
  answers: "aa",
};

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** MLflow, of which these files are all that it has, by their places; and this run. */
function mlflowWith(files: Readonly<Record<string, string>>, status = "FINISHED", refused = 0): MlflowClient {
  const artifacts = "/api/2.0/mlflow-artifacts/artifacts";
  const run = {
    info: { status, artifact_uri: `mlflow-artifacts:/1/${id}/artifacts` },
    data: { params: [{ key: "max_depth", value: "6" }], metrics: [], tags: [] },
  };
  const copies = "2d".repeat(16);
  const version = { model_version: { name: "house-price", version: "3", run_id: id } };
  return new MlflowClient("http://mlflow", (address) => {
    const url = new URL(address);
    const json = (content: unknown, code = 200) =>
      Promise.resolve(new Response(JSON.stringify(content), { status: code }));
    if (url.pathname.endsWith("/runs/get"))
      return url.searchParams.get("run_id") === id ? json({ run }) : json({}, 404);
    if (url.pathname.endsWith("/registered-models/alias"))
      return url.searchParams.get("alias") === "champion" ? json(version) : json({}, 404);
    if (url.pathname.endsWith("/model-versions/get"))
      return url.searchParams.get("version") === "3" ? json(version) : json({}, 404);
    if (url.pathname === artifacts) {
      const folder = `${url.searchParams.get("path") ?? ""}/`;
      const found = Object.keys(files).filter((file) => file.startsWith(folder));
      return json({ files: found.map((file) => ({ path: file.slice(folder.length), is_dir: false })) });
    }
    // Those of the run of a copy, which MLflow does not proxy.
    const [byRun, path] = [url.searchParams.get("run_uuid"), url.searchParams.get("path")];
    if (refused > 0 && url.pathname === "/get-artifact") return json({}, refused);
    if (url.pathname.endsWith("/artifacts/list"))
      return json(
        url.searchParams.get("run_id") === copies
          ? { files: Object.keys(files).map((path) => ({ path })) }
          : {},
      );
    if (url.pathname === "/get-artifact")
      return Promise.resolve(new Response(byRun === copies ? files[path ?? ""] : "", { status: 200 }));
    const file = files[url.pathname.slice(artifacts.length + 1)];
    return Promise.resolve(new Response(file ?? "", { status: file === undefined ? 404 : 200 }));
  });
}

const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
const place = `1/${id}/artifacts/rerun.json`;

describe("a run to be repeated", () => {
  const whole = mlflowWith({ [place]: JSON.stringify(record) });

  it("is found by its id, and by a version of the registry", async () => {
    for (const what of [
      id,
      "house-price",
      "house-price@champion",
      "house-price/3",
      "models:/house-price/3",
    ]) {
      const { run, manifest } = await findRun(whole, what);
      expect([run.id, run.parameters, manifest.name], what).to.deep.equal([
        id,
        { max_depth: "6" },
        "house-price",
      ]);
    }
  });

  it("may have trained on a file with a tab in its path", async () => {
    const data = { ...record.data, address: "/nowhere/a\tb.csv" };
    const found = await findRun(mlflowWith({ [place]: JSON.stringify({ ...record, data }) }), id);
    expect(found.record.data.address).to.equal(data.address);
  });

  for (const [what, mlflow, asked, message] of [
    ["an unknown run", whole, "1f".repeat(16), /^MLflow has no run 1f1f/],
    [
      "an unknown alias",
      whole,
      "house-price@next",
      /^MLflow has no version of house-price with the alias next\.$/,
    ],
    ["an unknown version", whole, "house-price/9", /^MLflow has no house-price version 9\.$/],
    [
      "a word that is neither",
      whole,
      "a/b/c",
      /^"a\/b\/c" is neither the id of a run, 32 hexadecimal digits, nor a version/,
    ],
    [
      "a run without a record",
      mlflowWith({}),
      id,
      /cannot be repeated: it has no rerun\.json, the record of its code/,
    ],
    [
      "one that failed",
      mlflowWith({ [place]: JSON.stringify(record) }, "FAILED"),
      id,
      /cannot be repeated: it is FAILED/,
    ],
    [
      "a record of another form",
      mlflowWith({ [place]: '{"format": 2}' }),
      id,
      /that this version of the project cannot read/,
    ],
    [
      "a copy whose name would move the terminal's cursor",
      mlflowWith({ [place]: JSON.stringify({ ...record, data: { ...record.data, kept: "\u001b[2Jx" } }) }),
      id,
      /that this version of the project cannot read/,
    ],
    ...[{ code: {} }, { code: { ...record.code, "../../x": "00".repeat(20) } }].map(
      (odd) =>
        [
          `a record with ${JSON.stringify(odd).slice(0, 20)}`,
          mlflowWith({ [place]: JSON.stringify({ ...record, ...odd }) }),
          id,
          /that this version of the project cannot read/,
        ] as const,
    ),
    [
      "a model that is not in this clone",
      mlflowWith({
        [place]: JSON.stringify({
          ...{ ...record, training: "cats" },
          code: { "cats/model.json": "00".repeat(20), "cats/train/__main__.py": "00".repeat(20) },
        }),
      }),
      id,
      /a training of ml-app\/cats, which this clone of the project does not have\. Update it: git pull$/,
    ],
  ] as const)
    it(`is told what is wrong: ${what}`, async () => {
      expect(await messageOf(findRun(mlflow, asked))).to.match(message);
    });
});

describe("the data of a run", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-data-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const copy = "data.csv";
  const file = (content: string) => {
    const name = path.join(folder, sha256(content));
    writeFileSync(name, content);
    return name;
  };
  const find = (
    files: Readonly<Record<string, string>>,
    data: Partial<RunRecord["data"]> = {},
    given?: string,
  ) => findData(mlflowWith(files), { data: { ...record.data, ...data } }, given, folder, fetched);
  /** The web, which has but one table. */
  const fetched = (address: string, name: string) => {
    if (address !== "https://example.com/houses.csv") return Promise.resolve(`${address}: 404`);
    writeFileSync(name, "rows");
    return Promise.resolve(undefined);
  };

  it("are the copy that is kept, if it has their content", async () => {
    for (const kept of [record.data.kept, `mlflow-artifacts:/2/${"2d".repeat(16)}/artifacts/data.csv`])
      expect((await find({ [copy]: "rows" }, { kept })).where).to.equal(
        `the copy that is kept, ${String(kept)}`,
      );
  });

  it("are those at their address, where there is no copy", async () => {
    const address = file("rows");
    for (const files of [{}, { [copy]: "others" }])
      expect((await find(files, { address })).file).to.equal(address);
    const remote = { address: "https://example.com/houses.csv", kept: null };
    const { file: found, where } = await find({}, remote);
    expect([readFileSync(found, "utf8"), where]).to.deep.equal(["rows", remote.address]);
    expect(await messageOf(find({}, { ...remote, sha256: sha256("others") }))).to.match(
      /, and https:\/\/example\.com\/houses\.csv has another content now\. .*--data FILE\. Their SHA-256 is/,
    );
    expect(await messageOf(find({}, { ...remote, address: "s3://x/y.csv" }))).to.match(
      /the data of this run are missing: .*, and s3:\/\/x\/y\.csv: 404\. .*--data FILE\./,
    );
  });

  it("are those at their address, where MLflow may not read the copy", async () => {
    const refusing = mlflowWith({ [copy]: "rows" }, "FINISHED", 403);
    const found = (address: string) =>
      findData(refusing, { data: { ...record.data, address } }, undefined, folder, fetched);
    expect((await found(file("rows"))).file).to.equal(file("rows"));
    expect(await messageOf(found("/nowhere/houses.csv"))).to.match(
      /their copy, s3:\S+, cannot be fetched \(MLflow answered 403 .*\), and \/nowhere.* --data FILE\./,
    );
  });

  it("are those that the user has, if they are the same", async () => {
    expect((await find({}, {}, file("rows"))).file).to.equal(file("rows"));
    expect(await messageOf(find({ [copy]: "rows" }, {}, file("others")))).to.match(
      /are other data than those of the run: their SHA-256 is [0-9a-f]{64}, and not [0-9a-f]{64}\.$/,
    );
  });

  for (const [what, files, data, missing] of [
    [
      "their copy is gone",
      {},
      {},
      `their copy, ${String(record.data.kept)}, is gone, and /nowhere/houses.csv is not on this machine`,
    ],
    [
      "their copy is said to be elsewhere",
      { [copy]: "rows" },
      { kept: "s3://datasets/data.csv" },
      "their copy is said to be at s3://datasets/data.csv, which is no artifact of a run, and /nowhere",
    ],
    [
      "no copy was kept",
      {},
      { kept: null },
      "the run has kept no copy of them, and /nowhere/houses.csv is not on this machine",
    ],
    [
      "their copy is another",
      { [copy]: "x" },
      {},
      `their copy, ${String(record.data.kept)}, has another content, and /nowhere`,
    ],
  ] as const)
    it(`are missing, which says where they were looked for: ${what}`, async () => {
      const message = await messageOf(find(files, data));
      expect(message).to.include(`the data of this run are missing: ${missing}`);
      expect(message).to.include(`--data FILE. Their SHA-256 is ${sha256("rows")}.`);
    });
});

describe("two models", () => {
  const result = (metrics: Readonly<Record<string, number>>, answers = "aa") => ({
    metrics,
    record: { ...record, answers },
  });
  const then = result({ test_score: 0.65, train_score: 0.75, champion_test_score: 0.6 });

  it("are the same if all of their numbers are, whatever the champion was", () => {
    expect(differences(then, result({ train_score: 0.75, test_score: 0.65 }))).to.deep.equal([]);
  });

  it("are others by the last bit of a number, and by an answer", () => {
    expect(differences(then, result({ test_score: 0.6500000000000001, train_score: 0.75 }))).to.deep.equal([
      "test_score was 0.65, and is 0.6500000000000001",
    ]);
    expect(differences(then, result({ test_score: 0.65 }, "bb"))).to.deep.equal([
      "train_score was 0.75, and is undefined",
      "the answers to the rows of the data are others",
    ]);
  });

  it("have what was not as it was then told: packages, Python, machine", () => {
    const libraries = { numpy: "1.26.4", "scikit-learn": "1.7.2", pip: "1" };
    const now = { ...record, python: "3.11.7", machine: "Darwin arm64", libraries };
    const pins = pinsOf("numpy==1.26.4 \\\nscikit_learn==1.7.2 \\\nxgboost==2 ; sys_platform == 'darwin'\n");
    expect(surroundings(record, now, pins)).to.deep.equal([
      "scikit_learn not installed then, 1.7.2 now",
      "Python 3.12.12 then, 3.11.7 now",
      "Linux x86_64 then, Darwin arm64 now",
    ]);
  });

  it("have the packages of a lock file, but for those of other machines", () => {
    const lock = pinsOf("numpy==1.26.4 \\\nxgboost==2.1.2 ; sys_platform == 'darwin' \\\n");
    expect(fits(lock, { NumPy: "1.26.4" })).to.equal(true);
    for (const others of [{ numpy: "1.26.3" }, {}, { numpy: "1.26.4", xgboost: "3.0.0" }])
      expect(fits(lock, others), JSON.stringify(others)).to.equal(false);
  });
});

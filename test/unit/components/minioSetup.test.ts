import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { setupScript } from "../../../components/objectStore/minioSetup";

const host = "minio.s3.svc.cluster.local:9000";

/**
 * Does what `mc` does of what the script asks for, and notes each call. A user's keys come through standard input; to
 * attach a policy again is an error.
 */
const mc = `#!/bin/sh
printf '%s\\n' "$*" >> "$STORE/calls"
printf '%s\\n' "$MC_HOST_store $MC_CONFIG_DIR" > "$STORE/host"
case "$*" in "\${REFUSED:-nothing}"*) echo "mc: <ERROR> \${REASON:-Access denied.}" >&2; exit 1 ;; esac
case "$*" in
"ls store") [ "$(grep -c '^ls' "$STORE/calls")" -gt "\${DEAF:-0}" ] ;;
"mb --ignore-existing "*) shift 2; for bucket; do mkdir -p "$STORE/buckets/\${bucket#store/}"; done ;;
"admin user add store") read -r user; read -r key; printf '%s' "$key" > "$STORE/users/$user" ;;
"admin policy create store "*) cp "$6" "$STORE/policies/$5" ;;
"admin policy attach store "*)
  if grep -qsx "$5" "$STORE/attached/$7"; then
    echo "mc: <ERROR> Unable to make user/group policy association. The specified policy change is already in effect." >&2
    exit 1
  fi
  echo "$5" >> "$STORE/attached/$7" ;;
*) echo "unexpected: mc $*" >&2; exit 64 ;;
esac
`;

const keys = {
  ROOT_USER: "root",
  ROOT_PASSWORD: "RootPassword1",
  TRACKING_SECRET_KEY: "TrackingKey2",
  SERVING_SECRET_KEY: "ServingKey3",
  TRAINING_SECRET_KEY: "TrainingKey4",
  BATCH_SECRET_KEY: "BatchKey5",
};

const order = [
  "ls store",
  "mb --ignore-existing store/models store/datasets store/predictions",
  ...["tracking mlflow", "serving models", "training training", "batch batch"].flatMap((pair) => {
    const [role = "", user = ""] = pair.split(" ");
    return [
      "admin user add store",
      `admin policy create store mlplatform-${role} TMP/mlplatform-${role}.json`,
      `admin policy attach store mlplatform-${role} --user ${user}`,
    ];
  }),
];

describe("the set-up of MinIO", () => {
  let folder: string;
  const store = (...names: string[]) => path.join(folder, "store", ...names);

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "minio-setup-"));
    for (const name of ["bin", "tmp", "store/users", "store/policies", "store/attached"])
      mkdirSync(path.join(folder, name), { recursive: true });
    writeFileSync(path.join(folder, "bin", "mc"), mc, { mode: 0o755 });
    // A clock that only sleeping moves.
    const now = path.join(folder, "now");
    const tool = (name: string, script: string) => {
      writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };
    writeFileSync(now, "0\n");
    tool("sleep", `echo $(($(cat ${now}) + $1)) > ${now}`);
    tool("date", `cat ${now}`);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs the script as the Job does, but for the place of its files. */
  function run(env: Record<string, string> = {}) {
    const script = setupScript(host).replaceAll("/tmp/", `${path.join(folder, "tmp")}/`);
    const PATH = `${path.join(folder, "bin")}:/usr/bin:/bin`;
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], {
      env: { PATH, STORE: store(), ...keys, ...env },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  function calls(): string[] {
    const text = readFileSync(store("calls"), "utf8").replaceAll(path.join(folder, "tmp"), "TMP");
    return text.trim().split("\n");
  }

  /** All that the store has, by the path of the file. */
  function state(): Record<string, string> {
    const files = ["users", "policies", "attached"].flatMap((kind) =>
      readdirSync(store(kind)).map((file) => `${kind}/${file}`),
    );
    return Object.fromEntries(files.map((file) => [file, readFileSync(store(file), "utf8")]));
  }

  it("makes the buckets first, and then each user with its policy", () => {
    expect(run()).to.deep.equal({ status: 0, stdout: "", stderr: "" });
    expect(calls()).to.deep.equal(order);
    expect(readdirSync(store("buckets")).sort()).to.deep.equal(["datasets", "models", "predictions"]);
  });

  it("reaches the server as root, through the environment", () => {
    run();
    expect(readFileSync(store("host"), "utf8")).to.equal(
      `http://root:RootPassword1@${host} ${path.join(folder, "tmp", "mc")}\n`,
    );
  });

  it("hands the keys on through standard input, and neither in arguments nor in files", () => {
    run();
    expect(state()).to.include({
      "users/mlflow": "TrackingKey2",
      "users/models": "ServingKey3",
      "users/training": "TrainingKey4",
      "users/batch": "BatchKey5",
    });
    const left = readdirSync(path.join(folder, "tmp")).map((file) =>
      readFileSync(path.join(folder, "tmp", file), "utf8"),
    );
    for (const key of Object.values(keys).slice(1))
      expect([setupScript(host), ...calls(), ...left].join("\n")).not.to.include(key);
  });

  it("gives each user the rights that its purpose needs, and no more", () => {
    run();
    const documents = Object.entries(state())
      .filter(([file]) => file.startsWith("policies/"))
      .map(([file, text]) => [path.basename(file), JSON.parse(text) as unknown] as const);
    const allow = (resource: string, ...actions: string[]) => ({
      Effect: "Allow",
      Action: actions,
      Resource: [`arn:aws:s3:::${resource}`],
    });
    const write = (bucket: string) => [
      allow(bucket, "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
      allow(
        `${bucket}/*`,
        "s3:GetObject",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
      ),
    ];
    const read = (bucket: string) => [
      allow(bucket, "s3:GetBucketLocation", "s3:ListBucket"),
      allow(`${bucket}/*`, "s3:GetObject"),
    ];
    // Copies of data: trainings add them, MLflow hands them out and removes them.
    const copies = "datasets/copies/*";
    const listCopies = {
      ...allow("datasets", "s3:ListBucket"),
      Condition: { StringLike: { "s3:prefix": ["copies/*"] } },
    };
    const document = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
    expect(Object.fromEntries(documents)).to.deep.equal({
      "mlplatform-tracking": document(
        ...write("models"),
        listCopies,
        allow(copies, "s3:GetObject", "s3:DeleteObject"),
      ),
      "mlplatform-serving": document(...read("models")),
      "mlplatform-training": document(...read("datasets"), allow(copies, "s3:PutObject")),
      "mlplatform-batch": document(...read("datasets"), ...write("predictions")),
    });
    expect(state()).to.include({
      "attached/mlflow": "mlplatform-tracking\n",
      "attached/models": "mlplatform-serving\n",
      "attached/training": "mlplatform-training\n",
      "attached/batch": "mlplatform-batch\n",
    });
  });

  it("makes nothing public", () => {
    expect(setupScript(host)).not.to.match(/\b(anonymous|public|download|upload)\b|Principal/);
  });

  it("changes nothing when it runs again", () => {
    run();
    const before = state();
    expect(run()).to.deep.equal({ status: 0, stdout: "", stderr: "" });
    expect(state()).to.deep.equal(before);
    expect(calls()).to.deep.equal([...order, ...order]);
  });

  it("ends what a run before it has left undone", () => {
    expect(run({ REFUSED: "admin policy attach store mlplatform-serving" }).status).to.equal(1);
    const half = state();
    expect(half).to.have.property("attached/mlflow");
    expect(half).not.to.have.property("attached/models");
    expect(run().status).to.equal(0);
    expect(state()).to.include({ ...half, "attached/training": "mlplatform-training\n" });
  });

  it("asks a server that is not ready yet again, and nothing else of it until then", () => {
    expect(run({ DEAF: "3" }).status).to.equal(0);
    expect(calls()).to.deep.equal(["ls store", "ls store", "ls store", ...order]);
  });

  it("gives a server up that has not answered for a minute, and names both ends", () => {
    const { status, stderr } = run({ DEAF: "1000", HOSTNAME: "minio-setup-x" });
    expect(status).to.equal(1);
    // After 0, 1, 3, 7, 15 s and then every 8.
    expect(calls()).to.deep.equal(Array.from({ length: 11 }, () => "ls store"));
    expect(stderr.trim().split("\n").at(-1)).to.match(
      new RegExp(`^error: minio-setup-x has tried to reach the store ${host} for 60 s: .*network policies`),
    );
  });

  for (const reason of [
    "Unable to list folder. Access Denied.",
    "Unable to list folder. The Access Key Id you provided does not exist in our records.",
    "Unable to list folder. The request signature we calculated does not match the signature you provided.",
  ])
    it(`tells at once that the store refuses: ${reason}`, () => {
      const { status, stderr } = run({ REFUSED: "ls store", REASON: reason });
      expect(status).to.equal(1);
      expect(stderr).to.equal(
        `error: the store ${host} refuses its root user: mc: <ERROR> ${reason}: does it run with another password?\n`,
      );
      expect(calls()).to.deep.equal(["ls store"]);
    });

  it("asks again where a name of the address only looks like a refusal", () => {
    const reason = 'Get "http://minio.signature.svc/": dial tcp: no route to host.';
    const { stderr } = run({ REFUSED: "ls store", REASON: reason });
    expect(stderr).to.include(`does not answer yet: mc: <ERROR> ${reason}; asking again in 1 s`);
    expect(calls()).to.have.length(11);
  });

  for (const step of ["mb", "admin user add", "admin policy create", "admin policy attach"]) {
    it(`fails at once, and says why, when "mc ${step}" does`, () => {
      const { status, stderr } = run({ REFUSED: step });
      expect(status).to.equal(1);
      expect(stderr).to.equal("mc: <ERROR> Access denied.\n");
      const done = order.slice(0, order.findIndex((call) => call.startsWith(step)) + 1);
      expect(calls()).to.deep.equal(done);
    });
  }

  it("fails where a key is missing from its environment", () => {
    const result = spawnSync("/bin/sh", ["-c", setupScript(host)], {
      env: {
        PATH: `${path.join(folder, "bin")}:/usr/bin:/bin`,
        STORE: store(),
        ...keys,
        ROOT_PASSWORD: undefined,
      },
      encoding: "utf8",
    });
    expect(result.status).not.to.equal(0);
    expect(result.stderr).to.include("ROOT_PASSWORD");
    expect(readdirSync(store())).not.to.include("calls");
  });
});

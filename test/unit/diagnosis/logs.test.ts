import { expect } from "chai";

import { blamesMlflow, linesOf, saidIn } from "../../../cli/cluster/diagnosis/logs";

describe("what a log says", () => {
  const line = (...log: readonly string[]) => saidIn(log)?.line;

  it("is the last line that sounds like a fault, and not where in a program it was met", () => {
    const traceback = [
      "INFO starting",
      "Traceback (most recent call last):",
      '  File "app.py", line 3, in error',
      "ValueError: the table is empty",
      "(Background on this error at: https://sqlalche.me/e/20/e3q8)",
      "INFO bye",
    ];
    expect(line(...traceback)).to.equal("ValueError: the table is empty");
    expect(line("INFO starting", "INFO Loaded the model successfully.")).to.equal(undefined);
    expect(line("the disk is full")).to.equal("the disk is full");
    expect(line()).to.equal(undefined);
  });

  it("is what a program calls its error, whatever it says after it of what comes of it", () => {
    expect(line("error: the table is empty", "run 1 is marked as FAILED")).to.equal(
      "error: the table is empty",
    );
  });

  it("is told from where it matters, where a line quotes others", () => {
    const long = `error: MLflow: ${"x".repeat(500)} An error occurred (XMinioStorageFull) when calling PutObject`;
    expect(line(long)).to.match(/^…x{20,} An error occurred \(XMinioStorageFull\) when calling PutObject$/);
  });

  for (const [log, mend, lasting] of [
    ['FATAL:  password authentication failed for user "mlflow"', "Secret mlflow-db", true],
    ['FATAL:  database "tracking" does not exist', "database.name", true],
    [
      "XMinioStorageFull: Storage backend has reached its minimum free drive threshold",
      "A volume is full",
      true,
    ],
    [
      "2026-11-01 12:00:00,000 ERROR modelserver: /mnt/models is not what was decided on: MLmodel is missing",
      "npm run models -- update",
      true,
    ],
    [
      "it answers the same rows otherwise from one time to the next: value 0 is 0.7, where 0.4 is expected",
      "parity: off",
      true,
    ],
    ["OSError: [Errno 28] No space left on device", "A volume is full", true],
    ["SignatureDoesNotMatch: The request signature we calculated", "objectStore.users", true],
    ["ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]", "not trusted", true],
    ['could not translate host name "db.example.com" to address', "A name is not known", false],
    ["dial tcp: lookup minio on 10.96.0.10:53: no such host", "A name is not known", false],
  ] as const)
    it(`names a known fault, whatever else comes after it: ${log.slice(0, 40)}…`, () => {
      const found = saidIn([log, "error: giving up"]);
      expect(found).to.include({ line: log, severity: lasting ? "error" : "warning" });
      expect(found?.mend).to.contain(mend);
    });

  it("is looked for in MLflow's own where a client was told of an error inside of it", () => {
    expect(
      blamesMlflow([
        "MlflowException: API request to http://mlflow:5000 failed: too many 500 error responses",
      ]),
    ).to.equal(true);
    expect(blamesMlflow(["MLflow answered 500 to http://mlflow"])).to.equal(true);
    expect(blamesMlflow(["MLflow answered 404", "500 rows read"])).to.equal(false);
  });

  it("is shown without colours, blank lines, and what the kubelet adds", () => {
    const body = "\u001b[31mred\u001b[0m  \n\nlong line\nunable to retrieve container logs for x\n";
    expect(linesOf(body)).to.deep.equal(["red", "long line"]);
  });
});

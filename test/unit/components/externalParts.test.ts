import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { ExternalDatabase } from "../../../components/database/externalDatabase";
import { ExternalS3 } from "../../../components/objectStore/externalS3";
import { create, type Created } from "./support/created";

describe("ExternalDatabase", () => {
  let created: Created;
  before(async () => {
    created = await create(() => {
      const { host, port, database, username, password } = new ExternalDatabase("it", {
        host: "db.example.com",
        port: 6432,
        database: "tracking",
        username: "tracker",
        password: "word",
      });
      return { host, port, database, username, password };
    });
  });

  it("creates nothing, and says where it lies, but not with which password", () => {
    expect(created.list).to.deep.equal(["ExternalDatabase it"]);
    expect(created.inputs("ExternalDatabase")).to.deep.equal({
      ...{ host: "db.example.com", port: 6432, database: "tracking" },
    });
  });

  it("passes on what it was told, the password as a secret", () => {
    expect(created.outputs).to.deep.equal({
      host: "db.example.com",
      port: 6432,
      database: "tracking",
      username: "tracker",
      password: "word",
    });
    expect(created.secretOutputs).to.deep.equal(["password"]);
  });
});

describe("ExternalS3", () => {
  const keys = (name: string) => ({ accessKeyId: `${name}-id`, secretAccessKey: `${name}-secret` });
  let created: Created;
  before(async () => {
    created = await create(() => {
      const { endpoint, region, provider, modelBucket, dataBucket, users } = new ExternalS3("it", {
        endpoint: "",
        region: "eu-west-1",
        provider: "AWS",
        modelBucket: "our-models",
        dataBucket: "our-data",
        predictionBucket: "our-predictions",
        users: {
          tracking: keys("tracking"),
          serving: keys("serving"),
          training: { accessKeyId: "training-id", secretAccessKey: pulumi.secret("training-secret") },
        },
      });
      return { endpoint, region, provider, modelBucket, dataBucket, users };
    });
  });

  it("creates nothing, and says where it lies, but not with which keys", () => {
    expect(created.list).to.deep.equal(["ExternalS3 it"]);
    expect(created.inputs("ExternalS3")).to.deep.equal({ endpoint: "", provider: "AWS" });
  });

  it("passes on what it was told, the keys as secrets, also those that were not given as such", () => {
    expect(created.outputs).to.deep.equal({
      endpoint: "",
      region: "eu-west-1",
      provider: "AWS",
      modelBucket: "our-models",
      dataBucket: "our-data",
      users: { tracking: keys("tracking"), serving: keys("serving"), training: keys("training") },
    });
    expect(created.secretOutputs).to.deep.equal([
      "users.serving.secretAccessKey",
      "users.tracking.secretAccessKey",
      "users.training.secretAccessKey",
    ]);
  });
});

import { expect } from "chai";

import { plainTexts } from "../../../config/plainSecrets";

const names =
  "DB_PASS DB_PWD DB_SECRET SECRETS CREDENTIAL awsCredentials PASSWORD1 dbPass TOKENS api-key".split(" ");

const secrets = [
  "AKIA0123456789ABCDEF",
  "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
  "sk-proj-abcdefghijklmnopqrst0123456789",
  "sk_live_abcdefghijklmnop",
  "npm_abcdefghijklmnopqrstuvwxyz0123456789",
  "dckr_pat_abcdefghijklmnopqrstuvwxyz0",
  "AIzaSyabcdefghijklmnopqrstuvwxyz0123456",
  "xoxe-0123456789-abc",
  "https://hooks.slack.com/services/T0/B0/abc",
  "-----BEGIN PGP PRIVATE KEY BLOCK-----",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef",
  "Bearer abcdef0123456789",
  "Basic bWU6aHVudGVyMg==",
  "host=db user=me password=hunter2",
  "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aHVudGVyMg==",
  "https://example.com/x?code=hunter2hunter2",
];

const harmless = {
  MAX_TOKEN: "512",
  PASS: "true",
  eos_token: "</s>",
  PAD_TOKEN: "[PAD]",
  DB_PWD: "$(PASSWORD)",
  COMPASS: "north",
  TOKENIZER: "bert",
  existingSecretKeyName: "password",
  referred: "host=db password=$(PASSWORD) pwd=${PWD}",
  query: "https://example.com/x?code=short&key=1",
  mail: "mailto:me@example.com",
  time: "12:30@example.com",
  tag: "name:tag@example.com",
  lesson: "Basic regression",
  text: "bearer of news",
  package: "sk-learn-pipeline-version-2",
  setting: "hf_hub_download_timeout_seconds_and_more",
};

describe("secrets in plain text", () => {
  it("are found by the ends of their names, in words", () => {
    const found = plainTexts(Object.fromEntries(names.map((name) => [name, "hunter2"])));
    expect(found).to.deep.equal(names.map((name) => [name]));
    expect(plainTexts({ DB_PASS: "12345678", secret: "1" })).to.deep.equal([["DB_PASS"], ["secret"]]);
  });

  it("are found by what they look like", () => {
    expect(plainTexts(secrets)).to.deep.equal([...secrets.keys()].map((index) => [index]));
  });

  it("are not what only resembles them", () => {
    expect(plainTexts(harmless)).to.deep.equal([]);
  });
});

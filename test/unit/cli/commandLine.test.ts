import { expect } from "chai";

import { commandLine, inStack } from "../../../cli/commandLine";

describe("a command as it is typed", () => {
  it("names its stack, unless that is the default one", () => {
    expect(commandLine("up")).to.equal("npm run up");
    expect(commandLine("promote", "prod", "churn", 4)).to.equal("npm run promote -- churn 4 --stack prod");
  });

  it("is found in a text", () => {
    const texts = {
      "npm run up": "npm run up -- --stack prod",
      "npm run logs -- churn, then: npm run up":
        "npm run logs -- churn --stack prod, then: npm run up -- --stack prod",
      "mend it, and: npm run models -- update. Until then":
        "mend it, and: npm run models -- update --stack prod. Until then",
      "choose another: npm run models -- update churn":
        "choose another: npm run models -- update churn --stack prod",
      "kubectl delete pod a && npm run up": "kubectl delete pod a && npm run up -- --stack prod",
      "nothing to run": "nothing to run",
    };
    for (const [text, expected] of Object.entries(texts)) {
      expect(inStack(text, "prod")).to.equal(expected);
      expect(inStack(text, "dev")).to.equal(text);
    }
  });
});

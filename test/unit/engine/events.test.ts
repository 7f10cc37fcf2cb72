import { expect } from "chai";

import { BuildLogs } from "../../../cli/engine/events";

describe("what the build of an image says", () => {
  const urn = (name: string) => `urn:pulumi:dev::mlplatform::x$docker:index/image:Image::${name}`;

  it("is told by image, its last lines without colours, and nothing of other resources", () => {
    const logs = new BuildLogs();
    for (let line = 1; line <= 20; line++)
      logs.add(urn("serve"), `<{%reset%}>#${line} step\r\n<{%reset%}>\n`);
    logs.add(urn("train"), "ERROR: no matching distribution found");
    logs.add("urn:pulumi:dev::mlplatform::kubernetes:core/v1:Pod::pod", "waits");
    const lines = logs.excerpt(urn("serve")).split("\n");
    expect(lines).to.have.length(13);
    expect([lines[0], lines[1], lines.at(-1)]).to.deep.equal(["", "    #9 step", "    #20 step"]);
    expect(logs.excerpt(urn("train"))).to.equal("\n    ERROR: no matching distribution found");
    expect(logs.excerpt(undefined)).to.equal("");
  });

  it("ends with the reason, not with what BuildKit adds to a step that has failed", () => {
    const logs = new BuildLogs();
    const digest = "digest: sha256:f46e47a1bbba90dcddcab19abf01a5a87fb01678a5a416c043fd979302b4c7d3";
    const step = "[build  3/10] RUN pip install uv && uv venv /opt/venv";
    logs.add(urn("serve"), `${digest}\n${step}`);
    logs.add(urn("serve"), "ERROR: No matching distribution found for uv==0.13.9");
    const failed = "error: executor failed running [/bin/sh -c pip install uv]: exit code: 1";
    logs.add(urn("serve"), `${digest}\n${step}\n${failed}`);
    expect(logs.excerpt(urn("serve")).split("\n")).to.deep.equal([
      "",
      `    ${step}`,
      "    ERROR: No matching distribution found for uv==0.13.9",
    ]);
  });
});

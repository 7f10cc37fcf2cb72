import { expect } from "chai";

import { event, findings, pod, told, waiting } from "./support";

const hub =
  'failed to pull and unpack image "docker.io/library/app:1": failed to resolve reference "docker.io/library/app:1"';

describe("diagnosis of images", () => {
  const pulls = (message: string, count = 1, reason = "ErrImagePull") => ({
    pods: [pod("a", { containers: { main: { state: waiting(reason, message) } } })],
    events: [
      event("a", "Failed", `Failed to pull image "app:1": ${message}`, {
        ...{ from: 2, to: 2, count, container: "main" },
      }),
    ],
  });

  it("gives up on a definite refusal after 10 s", () => {
    const absent = pulls(`${hub}: docker.io/library/app:1: not found`);
    const text =
      "image app:1 does not exist (pod a) → Check its name and tag, and whether it has been pushed.";
    expect(told(absent, 5)).to.deep.equal([text]);
    expect(told(absent, 12)).to.deep.equal([`! ${text}`]);
  });

  const cases: Readonly<Record<string, [message: string, text: string]>> = {
    "a private or unknown repository": [
      `${hub}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
      "image app:1 cannot be pulled: it does not exist, or needs a login (pod a) → Check its name and tag; an image that is not public needs a pull secret.",
    ],
    "another architecture": [
      `${hub}: no match for platform in manifest: not found`,
      "image app:1 is not published for the node's architecture (pod a) → Choose an image that is built for this architecture, or a node of another one.",
    ],
    "a limit of pulls": [
      `${hub}: unexpected status from HEAD request: 429 Too Many Requests`,
      "image app:1 cannot be pulled: the registry's limit of pulls is reached (pod a) → Wait, log in to the registry, or pull through `mlplatform:mirror`.",
    ],
    "a certificate": [
      `${hub}: tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      "image app:1 cannot be pulled: the node does not trust the registry's certificate (pod a) → Make the registry's certificate authority known to the node.",
    ],
  };
  for (const [name, [message, text]] of Object.entries(cases))
    it(`tells ${name}`, () => {
      expect(told(pulls(message), 12)).to.deep.equal([`! ${text}`]);
    });

  it("tries a registry that does not answer a second time, or for 20 s", () => {
    const host = `${hub}: dial tcp: lookup registry-1.docker.io on 10.96.0.10:53: no such host`;
    const text =
      "image app:1 cannot be pulled: there is no such registry, or no name server that knows it (pod a) → Check the registry's name and the node's connection; without internet, set `mlplatform:mirror`.";
    expect(told(pulls(host), 14)).to.deep.equal([text]);
    expect(told(pulls(host, 2), 14)).to.deep.equal([`! ${text}`]);
    expect(told(pulls(`${hub}: dial tcp 203.0.113.7:443: connect: connection refused`), 22)).to.deep.equal([
      "! image app:1 cannot be pulled: the registry does not answer (pod a) → Check the node's connection to the registry; without internet, set `mlplatform:mirror`.",
    ]);
  });

  it("takes the reason of a back-off from the event before it, as before Kubernetes 1.32", () => {
    const { events } = pulls(`${hub}: not found`);
    const { pods } = pulls('Back-off pulling image "app:1"', 1, "ImagePullBackOff");
    expect(findings({ pods, events }, 12)[0]).to.include({
      what: "image app:1 does not exist (pod a)",
      at: "2026-11-25T12:00:02.000Z",
    });
  });

  it("is not misled by the image's own name", () => {
    const spec = { image: "team/not found:denied" };
    const state = waiting("ErrImagePull", 'failed to pull "team/not found:denied": i/o timeout');
    expect(findings({ pods: [pod("a", { containers: { main: { state, spec } } })] }, 2)[0]?.what).to.contain(
      "the registry does not answer",
    );
  });

  it("tells a name that is none, and an image that may not be pulled", () => {
    const invalid = `Failed to apply default image tag "app:1": couldn't parse image name "app:1": invalid reference format`;
    expect(told(pulls(invalid, 1, "InvalidImageName"), 12)).to.deep.equal([
      '! "app:1" is no name of an image (pod a) → Correct the image\'s name in the stack configuration.',
    ]);
    const never = 'Container image "app:1" is not present with pull policy of Never';
    expect(told(pulls(never, 1, "ErrImageNeverPull"), 12)).to.deep.equal([
      "! image app:1 is not on the node, and may not be pulled (pod a) → Load the image into the cluster, or let its pull policy be IfNotPresent.",
    ]);
  });

  it("shows what it does not know as it is", () => {
    expect(told(pulls("the moon is full"), 22)).to.deep.equal([
      "! image app:1 cannot be pulled: the moon is full (pod a) → See why: kubectl -n ns describe pod a",
    ]);
  });
});

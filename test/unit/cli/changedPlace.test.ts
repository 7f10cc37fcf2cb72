import { expect } from "chai";

import { changedPlace } from "../../../cli/deploy/changedPlace";
import { markers } from "../../../cli/plan/recording";

const deployment = {
  kind: "Deployment",
  metadata: { name: "frontend", labels: { app: "frontend" } },
  spec: {
    replicas: 1,
    template: {
      spec: {
        containers: [
          { name: "main", image: "built:1", args: [], resources: { limits: { cpu: 0.5, memory: "1024Mi" } } },
        ],
        volumes: [{ name: "tmp", emptyDir: {} }],
        serviceAccountName: markers.unknown,
      },
    },
  },
};
const policy = { kind: "NetworkPolicy", spec: { podSelector: {}, policyTypes: ["Ingress"], egress: [] } };

function changed<T extends object>(object: T, change: (copy: T) => void): T {
  const copy = structuredClone(object);
  change(copy);
  return copy;
}

describe("where an object is not as it is declared", () => {
  const cases: readonly [what: string, meant: object, live: object, place: string | undefined][] = [
    [
      "what the API server fills in and writes otherwise",
      deployment,
      changed(deployment, ({ spec }) => {
        Object.assign(spec, { revisionHistoryLimit: 10 });
        Object.assign(spec.template.spec, { serviceAccountName: "own" });
        const [container] = spec.template.spec.containers;
        Object.assign(container ?? {}, {
          args: undefined,
          resources: { limits: { cpu: "500m", memory: "1Gi" } },
        });
      }),
      undefined,
    ],
    [
      "an image that each machine names otherwise",
      deployment,
      changed(deployment, ({ spec }) => {
        Object.assign(spec.template.spec.containers[0] ?? {}, { image: "built:2" });
      }),
      undefined,
    ],
    ["a number", deployment, changed(deployment, ({ spec }) => (spec.replicas = 0)), "spec.replicas"],
    [
      "a further container",
      deployment,
      changed(deployment, ({ spec }) => {
        spec.template.spec.containers.push(...spec.template.spec.containers);
      }),
      "spec.template.spec.containers",
    ],
    [
      "a label",
      deployment,
      changed(deployment, ({ metadata }) => (metadata.labels.app = "x")),
      "metadata.labels.app",
    ],
    [
      "a policy that is as it was",
      policy,
      { ...policy, spec: { podSelector: {}, policyTypes: ["Ingress"] } },
      undefined,
    ],
    [
      "a policy that is wider",
      policy,
      { ...policy, spec: { ...policy.spec, ingress: [{}] } },
      "spec.ingress",
    ],
    [
      "a policy of other pods",
      policy,
      { ...policy, spec: { ...policy.spec, podSelector: { matchLabels: { a: "b" } } } },
      "spec.podSelector",
    ],
    ["a Secret", { kind: "Secret", stringData: { a: markers.secret } }, { data: { a: "eA==" } }, undefined],
  ];
  for (const [what, meant, live, place] of cases)
    it(`${place === undefined ? "leaves alone" : "tells"} ${what}`, () => {
      expect(changedPlace({ ...meant }, { ...live }, (text) => text === "built:1")).to.equal(place);
    });
});

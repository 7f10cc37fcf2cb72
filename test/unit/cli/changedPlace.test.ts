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
          {
            ...{ name: "main", image: "built:1", args: [], env: [{ name: "THREADS", value: "1" }] },
            resources: { limits: { cpu: 0.5, memory: "1024Mi" } },
          },
        ],
        volumes: [{ name: "tmp", emptyDir: {} }],
        serviceAccountName: markers.unknown,
      },
    },
  },
};
const rule = {
  from: [{ podSelector: { matchLabels: { app: "x" } } }],
  ports: [{ port: 80 }],
};
const narrow = { kind: "NetworkPolicy", spec: { podSelector: { matchLabels: { a: "b" } }, ingress: [rule] } };
const settings = { kind: "ConfigMap", data: { rate: "1e3", resources: "1e3" } };
const policy = { kind: "NetworkPolicy", spec: { podSelector: {}, policyTypes: ["Ingress"], egress: [] } };

const rule0 = ({ ingress }: (typeof narrow)["spec"]) => ingress[0] ?? rule;

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
    [
      "a policy with what the API server fills in",
      narrow,
      changed(narrow, ({ spec }) => Object.assign(rule0(spec).ports[0] ?? {}, { protocol: "TCP" })),
      undefined,
    ],
    [
      "a policy of fewer pods",
      narrow,
      changed(narrow, ({ spec }) => Object.assign(spec.podSelector.matchLabels, { c: "d" })),
      "spec.podSelector.matchLabels.c",
    ],
    [
      "a policy of pods that are chosen otherwise too",
      narrow,
      changed(narrow, ({ spec }) =>
        Object.assign(spec.podSelector, { matchExpressions: [{ key: "e", operator: "Exists" }] }),
      ),
      "spec.podSelector.matchExpressions",
    ],
    [
      "a policy of further ports",
      narrow,
      changed(narrow, ({ spec }) => Object.assign(rule0(spec).ports[0] ?? {}, { endPort: 99 })),
      "spec.ingress[0].ports[0].endPort",
    ],
    [
      "a policy of another protocol",
      narrow,
      changed(narrow, ({ spec }) => Object.assign(rule0(spec).ports[0] ?? {}, { protocol: "UDP" })),
      "spec.ingress[0].ports[0].protocol",
    ],
    [
      "a policy for all namespaces",
      narrow,
      changed(narrow, ({ spec }) => Object.assign(rule0(spec).from[0] ?? {}, { namespaceSelector: {} })),
      "spec.ingress[0].from[0].namespaceSelector",
    ],
    [
      "a variable that is no amount",
      deployment,
      changed(deployment, ({ spec }) => {
        Object.assign(spec.template.spec.containers[0]?.env[0] ?? {}, { value: "1000m" });
      }),
      "spec.template.spec.containers[0].env[0].value",
    ],
    [
      "a setting that is no amount",
      settings,
      changed(settings, ({ data }) => (data.rate = "1k")),
      "data.rate",
    ],
    [
      "a setting that is called like amounts",
      settings,
      changed(settings, ({ data }) => (data.resources = "1k")),
      "data.resources",
    ],
    [
      "sizes that are written otherwise",
      { kind: "PersistentVolume", spec: { capacity: { storage: "1024Mi" }, emptyDir: { sizeLimit: "1e3" } } },
      { spec: { capacity: { storage: "1Gi" }, emptyDir: { sizeLimit: "1k" } } },
      undefined,
    ],
    ["a Secret", { kind: "Secret", stringData: { a: markers.secret } }, { data: { a: "eA==" } }, undefined],
  ];
  for (const [what, meant, live, place] of cases)
    it(`${place === undefined ? "leaves alone" : "tells"} ${what}`, () => {
      expect(changedPlace({ ...meant }, { ...live }, (text) => text === "built:1")).to.equal(place);
    });
});

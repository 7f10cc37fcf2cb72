/** What others must know of a capability, as data: nothing here or in a footprint depends on Pulumi's SDK. */
import type * as k8s from "@pulumi/kubernetes";

import type { PlatformConfig } from "../config";
import type { Understood } from "../config/checks";
import type { ChartPin } from "../pins";

export type NetworkPolicySpec = k8s.types.input.networking.v1.NetworkPolicySpec;

/** What a pod may ask of its node: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export type PodSecurityLevel = "baseline" | "restricted";

/** Keys below each other, outermost first. */
export type Path = readonly string[];

/** A namespace, and who may talk to whom in it. All else is denied, in both directions. */
export interface NamespaceFootprint {
  readonly name: string;
  readonly level: PodSecurityLevel;
  /**
   * Whether its volumes hold what nobody can make again: it is then protected outside `dev`, and stays when the stack
   * is destroyed.
   * @default false
   */
  readonly holdsData?: boolean;
  /** The Service that others ask, and its port. */
  readonly service?: { readonly name: string; readonly port: number };
  /** Ports of its pods that those who use it ask. @default the Service's */
  readonly ports?: readonly number[];
  /** Who may ask them: everybody, from wherever, or the namespaces that use it. @default those */
  readonly clients?: "everyone";
  /** The namespaces, by their key, that its pods ask. @default none */
  readonly uses?: readonly string[];
  /**
   * What its Jobs ask beside that: by their roles, and the namespaces by their key.
   * @default nothing
   */
  readonly jobs?: { readonly roles: readonly string[]; readonly use: readonly string[] };
  /** The port where this is outside the cluster, so that whoever uses it has to go there. @default it is inside */
  readonly outside?: (config: PlatformConfig) => number | undefined;
  /** Ports with metrics, which Prometheus may read where monitoring is on. @default none */
  readonly metrics?: readonly number[];
  /** What else is let through, by the policy's name. @default nothing */
  readonly flows?: (config: PlatformConfig) => Readonly<Record<string, NetworkPolicySpec>>;
}

/** Where a chart takes requests and limits of a container. */
export interface ChartResources {
  readonly at: Path;
  /** Below it: where the requests for CPU and memory and the limit of memory stand. */
  readonly keys: readonly [cpu: Path, memory: Path, limit: Path];
  /** The value that brings the container. @default it is always there */
  readonly where?: Path;
  /** Whether the container stands in pods of another, so that it asks for nothing here. @default false */
  readonly elsewhere?: boolean;
}

/** Requests and limits as a container has them. */
export const inContainer: ChartResources["keys"] = [
  ["requests", "cpu"],
  ["requests", "memory"],
  ["limits", "memory"],
];

/** A value of a chart that other parts of the platform count on. */
export interface FixedValue {
  readonly at: Path;
  /** Why, or what to use instead; read behind "is fixed: ". */
  readonly why: string;
  /** Whether a value does no harm. @default none is harmless */
  readonly harmless?: (value: unknown) => boolean;
}

/** What others must know of a chart's values. The keys of a chart stand here and in the component, nowhere else. */
export interface ChartFootprint {
  /** The section of the configuration that has its `values`, and `storage` if it has a volume. */
  readonly section: string;
  readonly resources: readonly ChartResources[];
  /** The value that says how many pods there are. @default one pod */
  readonly replicas?: Path;
  /** The group with `size` and `storageClass` of its volume. @default no volume */
  readonly volume?: Path;
  /** The group with its Ingress. @default none */
  readonly ingress?: Path;
  /** What it has outside of namespaces, in the plural: its installation takes the right to make it. @default nothing */
  readonly clusterWide?: readonly { readonly group: string; readonly resource: string }[];
  /** Values that the user's may not change. @default none */
  readonly fixed?: readonly FixedValue[];
  /** Lists to which the user's are added, since the platform needs its own entries. @default none */
  readonly added?: readonly Path[];
}

/** Something that is installed apart. */
export interface Prerequisite {
  readonly name: string;
  /** The API group that tells that it is there. */
  readonly group: string;
  /** The setting that asks for it. */
  readonly setting: string;
  readonly link: string;
  /** A warning where the stack comes up without it. */
  readonly severity: "error" | "warning";
  readonly needed: (stack: Asked) => boolean;
}

/** What a stack asks for, as far as prerequisites go by it. */
export interface Asked {
  /** The API groups of its resources. */
  readonly groups: ReadonlySet<string>;
  /** Whether some chart has a group of this name that is switched on: `{ istio: { enabled: true } }`. */
  readonly isOn: (part: string) => boolean;
  /** Whether a key of this name stands in some predictor of a model. */
  readonly inPredictors: (key: string) => boolean;
}

/** What others must know of a capability, said once, by it. */
export interface Footprint {
  /** Its namespaces, by a key that others name them by. @default none of its own */
  readonly namespaces?: Readonly<Record<string, NamespaceFootprint>>;
  /** What people call its components, by their type; the inputs tell several apart. */
  readonly titles: Readonly<Record<string, (inputs: Readonly<Record<string, unknown>>) => string>>;
  /** The charts that it installs. @default none */
  readonly installs?: (config: Understood) => readonly ChartPin[];
  /** Of every chart that it may install, by the chart's name. @default none */
  readonly charts?: Readonly<Record<string, ChartFootprint>>;
  readonly prerequisites?: readonly Prerequisite[];
}

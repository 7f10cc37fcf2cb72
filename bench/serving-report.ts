/** What the bench of serving measured, as a table and as figures. */
import type { Manifest } from "../config/manifests";
import type { Way } from "./contestants";
import type { Load } from "./load";
import type { BenchResult } from "./main";

/** What was measured of each way, by round; of the limit nothing where no server is one. */
export type Loads = Record<Way | "limit", Load[]>;

/** A kind of request, sent to both servers of a model. */
export interface Measured {
  readonly manifest: Manifest;
  /** Of a request. */
  readonly rows: number;
  readonly connections: number;
  readonly loads: Loads;
  /** Calls of the model's library in a second, without a server, of as many rows. */
  readonly inProcess: number | undefined;
}

const head = [
  "predictions over REST",
  ...["plain, per s", "ours", "limit", "ours / plain", "ours / limit"],
  ...["p50, ms", "ours", "p99, ms", "ours", "limit", "wrong", "ours"],
];

/** The table and the figures; and what went wrong first, if anything did. */
export function report(measured: readonly Measured[]): BenchResult {
  const figures: Record<string, number> = {};
  const rows = measured.flatMap((one, index) => {
    const { name } = one.manifest;
    const line = rowOf(one, figures);
    return measured[index - 1]?.manifest.name === name
      ? [line]
      : [[name, ...head.slice(1).map(() => "")], line];
  });
  const wrong = measured
    .flatMap(({ loads }) => [...loads.plain, ...loads.ours, ...loads.limit])
    .find(({ failure }) => failure);
  return { head, rows, figures, ...(wrong?.failure === undefined ? {} : { problem: wrong.failure }) };
}

/** A line of the table. Its figures go where the others are. */
function rowOf({ manifest, rows, connections, loads, inProcess }: Measured, figures: Record<string, number>) {
  const [plain, ours] = [together(loads.plain), together(loads.ours)];
  // The first model had no name in these before there were others.
  const prefix = manifest.default ? "" : `${manifest.name}_`;
  const request = `c${connections}${rows === 1 ? "" : `_rows${rows}`}`;
  const keep = (key: string, value: number) => (figures[`${prefix}${key}`] = Math.round(value * 1000) / 1000);
  for (const [way, load] of [
    ["plain", plain],
    ["ours", ours],
  ] as const) {
    keep(`${way}_rps_${request}`, load.requestsPerSecond);
    keep(`${way}_p50_ms_${request}`, load.p50);
    keep(`${way}_p99_ms_${request}`, load.p99);
    keep(`${way}_failures_${request}`, load.failures);
    const difference = `${prefix}${way}_largest_relative_difference`;
    figures[difference] = Math.max(figures[difference] ?? 0, load.difference);
  }
  const ratio = (key: string, was: number, is: number) => keep(`${key}_${request}`, is / was).toFixed(2);
  const faster = ratio("ratio_rps", plain.requestsPerSecond, ours.requestsPerSecond);
  ratio("ratio_p50_ms", plain.p50, ours.p50);
  ratio("ratio_p99_ms", plain.p99, ours.p99);
  const most = loads.limit.length === 0 ? undefined : together(loads.limit);
  if (most !== undefined) {
    keep(`limit_rps_${request}`, most.requestsPerSecond);
    keep(`limit_p99_ms_${request}`, most.p99);
    ratio("ratio_p99_ms_to_limit", most.p99, ours.p99);
  }
  if (inProcess !== undefined) keep(`in_process_per_s_${request}`, inProcess);
  const limit = most?.requestsPerSecond ?? inProcess;
  const share = limit === undefined ? "" : ratio("ratio_to_limit", limit, ours.requestsPerSecond);
  return [
    `${rows} row${rows === 1 ? "" : "s"}, ${connections} connection${connections === 1 ? "" : "s"}`,
    ...[plain.requestsPerSecond.toFixed(0), ours.requestsPerSecond.toFixed(0), limit?.toFixed(0) ?? ""],
    ...[faster, share, plain.p50.toFixed(2), ours.p50.toFixed(2)],
    ...[plain.p99.toFixed(2), ours.p99.toFixed(2), most?.p99.toFixed(2) ?? ""],
    ...[String(plain.failures), String(ours.failures)],
  ];
}

/** The rounds as one: the mean of what takes time, the largest difference, all failures. */
function together(loads: readonly Load[]): Omit<Load, "failure"> {
  const values = (key: keyof Omit<Load, "failure">) => loads.map((load) => load[key]);
  const sum = (key: Parameters<typeof values>[0]) => values(key).reduce((all, value) => all + value, 0);
  return {
    ...{ requestsPerSecond: sum("requestsPerSecond") / loads.length },
    ...{ p50: sum("p50") / loads.length, p99: sum("p99") / loads.length },
    ...{ difference: Math.max(...values("difference")), failures: sum("failures") },
  };
}

/**
 * What Envoy is told: https://www.envoyproxy.io/docs/envoy/v1.39.3/api-v3/config/bootstrap/v3/bootstrap.proto
 *
 * Plain data, so that a test can give it to a real Envoy.
 */

/** Where a predictor is asked, REST and gRPC: a name that DNS knows, or an address. */
export interface Backend {
  readonly host: string;
  readonly rest: number;
  readonly grpc: number;
}

/** A predictor with its share of the requests. */
export interface Share extends Backend {
  readonly name: string;
  /** In percent. Of a shadow the share of the requests of which it gets a copy. */
  readonly percent: number;
  readonly shadow: boolean;
}

/** The ports that a splitter listens on. */
export interface Ports {
  readonly rest: number;
  readonly grpc: number;
  /** Says whether it is ready, and counts. */
  readonly health: number;
  /** Of Envoy's administration, on the loopback address only. */
  readonly admin: number;
}

export interface SplitArgs {
  /** At least one that is no shadow; the shares of those sum up to 100. */
  readonly shares: readonly Share[];
  /** Name of the one that answers in place of another whose pods cannot be reached. */
  readonly main: string;
  /** @default no graph is behind it */
  readonly graph?: GraphBehind | undefined;
  readonly ports: Ports;
}

/** A graph of units, which Seldon's executor leads the requests through. */
export interface GraphBehind {
  /** Paths that its clients may use, and those that the executor knows: `/v2/models/wine/infer`, `/v2/models/infer`. */
  readonly paths: Readonly<Record<string, string>>;
}

/** The header of an answer that names the predictor which has given it. */
export const predictorHeader = "x-predictor";
export const readyPath = "/ready";
export const metricsPath = "/prometheus";

/** As long as Seldon's executor waits for a model. */
const patience = "60s";
/**
 * What is kept of a request until it is answered, to be sent to another host where the first cannot be reached. What is
 * larger is sent once.
 */
const mostKept = 64 * 1024;
const mostConnections = 1_000;
/** Requests to a predictor at once. */
const mostRequests = 500;
/** The container has 256 MiB, of which Envoy itself takes some 60. */
const mostHeap = 150 * 1024 * 1024;
/** How long a connection to a model is kept idle: shorter than its server does, or a request would meet its end. */
const idle = {
  // MLServer closes after 5 seconds.
  rest: "3s",
  grpc: "30s",
} as const;

type Wire = "grpc" | "rest";

/** The whole configuration. */
export function envoyConfig(args: SplitArgs): object {
  const { ports, shares } = args;
  const wires: readonly Wire[] = ["rest", "grpc"];
  return {
    admin: { address: address("127.0.0.1", ports.admin) },
    overload_manager: bounds,
    static_resources: {
      listeners: [
        ...wires.map((wire) => listener(wire, ports[wire], splitRoutes(args, wire))),
        listener("health", ports.health, healthRoutes),
      ],
      clusters: [
        ...wires.flatMap((wire) => shares.map((share) => cluster(args, share, wire))),
        {
          name: "admin",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "admin", endpoints: [hosts(0, "127.0.0.1", ports.admin)] },
        },
      ],
    },
  };
}

function address(host: string, port: number) {
  return { socket_address: { address: host, port_value: port } };
}

/** Beyond them new connections and requests are refused; those that are answered go on. */
const bounds = {
  refresh_interval: "0.25s",
  resource_monitors: [
    {
      name: "envoy.resource_monitors.fixed_heap",
      typed_config: {
        "@type": type("extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"),
        max_heap_size_bytes: mostHeap,
      },
    },
    {
      name: "envoy.resource_monitors.global_downstream_max_connections",
      typed_config: {
        "@type": type("extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"),
        max_active_downstream_connections: mostConnections,
      },
    },
  ],
  actions: [
    { name: "envoy.overload_actions.shrink_heap", triggers: [trigger(0.9)] },
    { name: "envoy.overload_actions.stop_accepting_requests", triggers: [trigger(0.95)] },
  ],
};

function trigger(value: number) {
  return { name: "envoy.resource_monitors.fixed_heap", threshold: { value } };
}

function type(name: string): string {
  return `type.googleapis.com/envoy.${name}`;
}

function listener(name: string, port: number, routes: readonly object[]) {
  return {
    name,
    address: address("0.0.0.0", port),
    per_connection_buffer_limit_bytes: mostKept,
    // Else as many clients as may be would look like a splitter that is ill.
    ...(name === "health" ? { ignore_global_conn_limit: true } : {}),
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
              stat_prefix: name,
              // What clients and servers say to each other is not touched.
              generate_request_id: false,
              server_header_transformation: "PASS_THROUGH",
              use_remote_address: true,
              max_request_headers_kb: 32,
              request_headers_timeout: "10s",
              request_timeout: patience,
              stream_idle_timeout: patience,
              common_http_protocol_options: { idle_timeout: "120s", max_headers_count: 100 },
              http2_protocol_options: {
                max_concurrent_streams: 100,
                initial_stream_window_size: 65_536,
                initial_connection_window_size: 1024 * 1024,
              },
              http_filters: [
                // Errors of gRPC come with the status 200.
                {
                  name: "envoy.filters.http.grpc_stats",
                  typed_config: {
                    "@type": type("extensions.filters.http.grpc_stats.v3.FilterConfig"),
                    stats_for_all_methods: false,
                  },
                },
                {
                  name: "envoy.filters.http.router",
                  typed_config: {
                    "@type": type("extensions.filters.http.router.v3.Router"),
                    suppress_envoy_headers: true,
                  },
                },
              ],
              route_config: { virtual_hosts: [{ name, domains: ["*"], routes }] },
            },
          },
        ],
      },
    ],
  };
}

const healthRoutes = [
  { match: { path: readyPath }, route: { cluster: "admin" } },
  { match: { path: metricsPath }, route: { cluster: "admin", prefix_rewrite: "/stats/prometheus" } },
];

/**
 * When a request is sent again. To a single model only where its server has not seen the request, so that none is made
 * twice. A graph's executor stops listening as soon as it is told to end, before all of the cluster has heard of it, and
 * drops what it has not read: so also where a connection ends without a word, and for as long as the news may take.
 */
const again = {
  model: { retry_on: "connect-failure,refused-stream,reset-before-request", num_retries: 3 },
  graph: { retry_on: "connect-failure,refused-stream,reset", num_retries: 12 },
} as const;

function splitRoutes(args: SplitArgs, wire: Wire) {
  const paths = wire === "rest" ? Object.entries(args.graph?.paths ?? {}) : [];
  return [
    ...paths.map(([path, to]) => splitRoute(args, wire, { path }, { prefix_rewrite: to })),
    splitRoute(args, wire, { prefix: "/" }),
  ];
}

function splitRoute({ shares, graph }: SplitArgs, wire: Wire, match: object, rewrite: object = {}) {
  const answering = shares.filter(({ shadow, percent }) => !shadow && percent > 0);
  return {
    match,
    route: {
      ...rewrite,
      weighted_clusters: {
        clusters: answering.map(({ name, percent }) => ({ name: `${name}-${wire}`, weight: percent })),
      },
      timeout: patience,
      request_mirror_policies: shares
        .filter(({ shadow }) => shadow)
        .map(({ name, percent }) => ({
          cluster: `${name}-${wire}`,
          runtime_fraction: { default_value: { numerator: percent, denominator: "HUNDRED" } },
          disable_shadow_host_suffix_append: true,
        })),
      retry_policy: {
        ...again[graph === undefined ? "model" : "graph"],
        retry_priority: {
          name: "envoy.retry_priorities.previous_priorities",
          typed_config: {
            "@type": type("extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"),
            update_frequency: 1,
          },
        },
        retry_back_off: { base_interval: "0.025s", max_interval: "0.25s" },
      },
    },
    response_headers_to_add: [
      {
        header: { key: predictorHeader, value: "%UPSTREAM_METADATA(mlplatform:predictor)%" },
        append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
      },
    ],
  };
}

function cluster({ shares, main }: SplitArgs, share: Share, wire: Wire) {
  const { name, shadow } = share;
  const instead = shadow || name === main ? undefined : shares.find((one) => one.name === main);
  const at = (priority: number, one: Share) => hosts(priority, one.host, one[wire], one.name);
  const most = shadow ? 32 : mostRequests;
  return {
    name: `${name}-${wire}`,
    type: "STRICT_DNS",
    connect_timeout: "1s",
    per_connection_buffer_limit_bytes: mostKept,
    load_assignment: {
      cluster_name: `${name}-${wire}`,
      // Of another priority are hosts that are asked where the first cannot be reached.
      endpoints: [at(0, share), ...(instead === undefined ? [] : [at(1, instead)])],
    },
    circuit_breakers: {
      thresholds: [
        {
          max_connections: most,
          // A shadow that does not keep up misses copies; they never pile up.
          max_pending_requests: most,
          max_requests: most,
          max_retries: shadow ? 0 : most,
        },
      ],
    },
    // What cannot be reached is left alone for a while. What a server answers, 500 too, is its answer.
    outlier_detection: {
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 3,
      enforcing_consecutive_local_origin_failure: 100,
      enforcing_local_origin_success_rate: 0,
      enforcing_consecutive_5xx: 0,
      enforcing_consecutive_gateway_failure: 0,
      enforcing_success_rate: 0,
      max_ejection_percent: 100,
      interval: "1s",
      base_ejection_time: "2s",
      max_ejection_time: "10s",
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": type("extensions.upstreams.http.v3.HttpProtocolOptions"),
        // Renewed, so that pods that are added get their part.
        common_http_protocol_options: { idle_timeout: idle[wire], max_requests_per_connection: 1_000 },
        explicit_http_config:
          wire === "grpc" ? { http2_protocol_options: {} } : { http_protocol_options: {} },
      },
    },
  };
}

function hosts(priority: number, host: string, port: number, predictor?: string) {
  const known = predictor === undefined ? {} : { metadata: named(predictor) };
  return { priority, lb_endpoints: [{ endpoint: { address: address(host, port) }, ...known }] };
}

function named(predictor: string) {
  return { filter_metadata: { mlplatform: { predictor } } };
}

/**
 * The command that tells Envoy to close its connections, each with the answer to its next request, and waits so many seconds
 * until that is done. The pod gets no new ones by then. For bash: the image has neither curl nor wget.
 */
export function farewell(admin: number, seconds: number): string {
  // HTTP/1.0, which would close the connection by itself, is refused.
  const request =
    "POST /drain_listeners?graceful&skip_exit HTTP/1.1\\r\\nHost: admin\\r\\nConnection: close\\r\\n\\r\\n";
  return `exec 3<>/dev/tcp/127.0.0.1/${admin}; printf '${request}' >&3; cat <&3; sleep ${seconds}`;
}

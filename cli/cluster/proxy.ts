/** By which proxy the API server is asked: as kubectl finds it, which the Kubernetes client for Node does not. */
import { BlockList, isIP, isIPv6 } from "node:net";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address; undefined if there is none. What NO_PROXY may hold is what Go's
 * programs read there: https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function proxyFor(address: string, env: Variables = process.env): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const name = url.protocol === "http:" ? "HTTP_PROXY" : "HTTPS_PROXY";
  const proxy = env[name] ?? env[name.toLowerCase()];
  if (!proxy || /^(.*\.)?localhost$|^127\.|^::1$/.test(host)) return undefined;
  const port = url.port || (url.protocol === "http:" ? "80" : "443");
  const without = (env["NO_PROXY"] ?? env["no_proxy"] ?? "")
    .split(",")
    .map((entry) => entry.trim().toLowerCase());
  if (without.some((entry) => entry !== "" && covers(entry, host.toLowerCase(), port))) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/** Whether an entry of NO_PROXY is for a host: `*`, an address, a network such as `10.0.0.0/8`, a domain. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const [, network = "", bits] = /^([\d.]+|[\da-f:.]+)\/(\d+)$/.exec(entry) ?? [];
  if (bits !== undefined)
    return isIP(host) !== 0 && isIP(network) === isIP(host) && within(host, network, Number(bits));
  const [, name = entry, ofPort] = isIPv6(entry) ? [] : (/^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? []);
  if (ofPort !== undefined && ofPort !== port) return false;
  const domain = name.replace(/^\*?\./, "");
  return host.endsWith(`.${domain}`) || (domain === name && host === domain);
}

function within(host: string, network: string, bits: number): boolean {
  const family = isIPv6(host) ? "ipv6" : "ipv4";
  if (bits > (family === "ipv6" ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}

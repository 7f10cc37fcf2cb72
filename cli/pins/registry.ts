/** A registry of images, as far as a pin must know of it: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md */

/** Asks over HTTP. */
export type Ask = (url: string, init?: RequestInit) => Promise<Response>;

/** What a registry has under a tag. */
export interface Published {
  readonly digest: string | undefined;
  /** As its labels or annotations tell; undefined where they do not. */
  readonly licence: string | undefined;
}

interface Manifest {
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly os: string; readonly architecture: string };
  }[];
  readonly config?: { readonly digest: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

const licenceKey = "org.opencontainers.image.licenses";
const kinds = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
/** Docker Hub's registry has another name than its images. */
const hosts: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/**
 * What is published under a name and a tag.
 *
 * @param repository with its registry: `docker.io/library/postgres`.
 * @returns undefined if it is not there.
 * @throws Error the registry does not answer, or not as one does.
 */
export async function published(repository: string, tag: string, ask: Ask): Promise<Published | undefined> {
  const slash = repository.indexOf("/");
  const host = repository.slice(0, slash);
  const base = `https://${hosts[host] ?? host}/v2/${repository.slice(slash + 1)}`;
  const asked = withToken(ask);
  const found = await asked(`${base}/manifests/${tag}`);
  if (found.status === 404) return undefined;
  const manifest = (await content(found)) as Manifest;
  const digest = found.headers.get("docker-content-digest") ?? undefined;
  const licence = manifest.annotations?.[licenceKey] ?? (await labelled(base, manifest, asked));
  return { digest, licence };
}

async function labelled(base: string, manifest: Manifest, asked: Ask): Promise<string | undefined> {
  const { manifests } = manifest;
  const one =
    manifests?.find(({ platform }) => platform?.os === "linux" && platform.architecture === "amd64") ??
    manifests?.[0];
  const single =
    one === undefined
      ? manifest
      : ((await content(await asked(`${base}/manifests/${one.digest}`))) as Manifest);
  if (single.config === undefined) return undefined;
  interface Config {
    readonly config?: { readonly Labels?: Readonly<Record<string, string>> | null };
  }
  const config = (await content(await asked(`${base}/blobs/${single.config.digest}`))) as Config;
  return config.config?.Labels?.[licenceKey];
}

async function content(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  return response.json();
}

/** Asks again with the token that a registry says how to get: https://distribution.github.io/distribution/spec/auth/token/ */
function withToken(ask: Ask): Ask {
  let token: string | undefined;
  const once = (url: string) =>
    ask(url, {
      headers: { Accept: kinds, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    });
  return async (url) => {
    const first = await once(url);
    const wanted = first.headers.get("www-authenticate");
    if (first.status !== 401 || wanted === null) return first;
    const { realm, ...rest } = Object.fromEntries(
      [...wanted.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
    );
    if (realm === undefined) return first;
    const given = (await content(await ask(`${realm}?${new URLSearchParams(rest).toString()}`))) as {
      token?: string;
      access_token?: string;
    };
    token = given.token ?? given.access_token;
    return once(url);
  };
}

import { gzipSync } from "node:zlib";

/** A record as Helm writes it. */
export function record(name: string, revision: number, status: string, payload?: object) {
  const zipped = payload && gzipSync(JSON.stringify(payload)).toString("base64");
  return {
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      labels: { owner: "helm", name, status, version: String(revision) },
    },
    data: { release: Buffer.from(zipped ?? "damaged").toString("base64") },
  };
}

import type { Protocol } from "../../config/servers";
import { exchangeWith, sendTo } from "../exchange";
import type { ModelClient } from "./answer";
import { openInference, openInferenceClient } from "./openInference";
import type { ProtocolClient } from "./protocol";
import { seldon, seldonClient } from "./seldon";

/** The client of each protocol. */
export const protocolClients: Readonly<Record<Protocol, ProtocolClient>> = { seldon, v2: openInference };

/**
 * A client of the model at a URL, whose path tells the protocol.
 *
 * @returns with it the model's name; empty where the URL has none.
 */
export function clientAt(url: string): { readonly client: ModelClient; readonly unit: string } {
  const [, base, written = ""] = /^(.*)\/v2\/models\/(?:([^/]+)\/)?infer\/?$/.exec(url) ?? [];
  if (base === undefined) {
    const place = /^(.*\/)predict(ions)?\/?$/.exec(url)?.[1];
    const describe = place === undefined ? undefined : () => exchangeWith(place)("metadata");
    return { client: seldonClient(sendTo(url), describe), unit: "" };
  }
  const unit = decodeURIComponent(written);
  return { client: openInferenceClient(exchangeWith(base), unit, unit === ""), unit };
}

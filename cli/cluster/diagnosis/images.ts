import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

import type { Live } from "../cluster";
import { type Trouble, patience, severityOf } from "./diagnosis";
import { type Scene, brief, firstSeen, lastSeen, nameOf } from "./scene";

/** Why a container waits, if it is for its image. */
export const imageReasons =
  /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|ImageInspectError|RegistryUnavailable)$/;

interface Refusal {
  readonly sign: RegExp;
  readonly what: (image: string) => string;
  readonly mend: string;
  /** Another try will meet it again. */
  readonly definite: boolean;
}

// The order matters: Docker Hub answers "denied" for what does not exist, and its refusals quote one another.
const refusals: readonly Refusal[] = [
  {
    sign: /InvalidImageName|invalid reference format|couldn't parse image name/i,
    what: (image) => `"${image}" is no name of an image`,
    mend: "Correct the image's name in the stack configuration.",
    definite: true,
  },
  {
    sign: /ErrImageNeverPull|not present with pull policy of Never/i,
    what: (image) => `image ${image} is not on the node, and may not be pulled`,
    mend: "Load the image into the cluster, or let its pull policy be IfNotPresent.",
    definite: true,
  },
  {
    sign: /no match for platform|no matching manifest|does not match the specified platform/i,
    what: (image) => `image ${image} is not published for the node's architecture`,
    mend: "Choose an image that is built for this architecture, or a node of another one.",
    definite: true,
  },
  {
    sign: /toomanyrequests|rate limit|429 Too Many/i,
    what: (image) => `image ${image} cannot be pulled: the registry's limit of pulls is reached`,
    mend: "Wait, log in to the registry, or pull through `mlplatform:mirror`.",
    definite: true,
  },
  {
    sign: /unauthori[sz]ed|authentication required|access denied|\bdenied:|access forbidden|\b40[13]\b/i,
    what: (image) => `image ${image} cannot be pulled: it does not exist, or needs a login`,
    mend: "Check its name and tag; an image that is not public needs a pull secret.",
    definite: true,
  },
  {
    sign: /not found|manifest unknown|name unknown|\b404\b/i,
    what: (image) => `image ${image} does not exist`,
    mend: "Check its name and tag, and whether it has been pushed.",
    definite: true,
  },
  {
    sign: /no such host|name resolution|server misbehaving/i,
    what: (image) =>
      `image ${image} cannot be pulled: there is no such registry, or no name server that knows it`,
    mend: "Check the registry's name and the node's connection; without internet, set `mlplatform:mirror`.",
    definite: false,
  },
  {
    sign: /x509|certificate|tls: /i,
    what: (image) => `image ${image} cannot be pulled: the node does not trust the registry's certificate`,
    mend: "Make the registry's certificate authority known to the node.",
    definite: true,
  },
  {
    sign: /refused|timeout|timed out|deadline exceeded|unreachable|reset by peer|no route/i,
    what: (image) => `image ${image} cannot be pulled: the registry does not answer`,
    mend: "Check the node's connection to the registry; without internet, set `mlplatform:mirror`.",
    definite: false,
  },
];

/** Why an image cannot be had. */
export function imageTrouble(scene: Scene, pod: Live<V1Pod>, status: Live<V1ContainerStatus>): Trouble {
  const { reason = "", message = "" } = status.state?.waiting ?? {};
  const image = pod.spec?.containers
    .concat(pod.spec.initContainers ?? [])
    .find(({ name }) => name === status.name)?.image;
  const failures = scene
    .events(pod, /^(Failed|InspectFailed|ErrImageNeverPull)$/)
    .filter(isAbout(status.name));
  // Before Kubernetes 1.32, who waits after a failure no longer says which it was.
  const told = failures.findLast(({ message = "" }) => !message.startsWith("Error: "))?.message ?? "";
  const text = `${reason} ${message} ${told}`;
  const known = refusals.find(({ sign }) => sign.test(withoutName(text, image ?? status.image)));
  const seconds = scene.since(firstSeen(failures) ?? pod.status?.startTime);
  const tries = Math.max(0, ...failures.map(({ count = 1 }) => count));
  const lasting = known?.definite
    ? seconds >= patience.definite
    : seconds >= patience.other || (tries > 1 && seconds >= patience.definite);
  const at = failures.at(-1);
  return {
    cause: "image",
    what: `${known?.what(image ?? status.image) ?? `image ${image ?? status.image} cannot be pulled: ${brief(message)}`} (pod ${nameOf(pod)})`,
    mend: known?.mend ?? `See why: kubectl -n ${scene.view.name} describe pod ${nameOf(pod)}`,
    severity: severityOf(lasting),
    ...(at && { at: lastSeen(at) }),
  };
}

/** Whether an event is about a container. */
export function isAbout(container: string) {
  return ({ involvedObject }: { readonly involvedObject: { readonly fieldPath?: string } }) =>
    involvedObject.fieldPath?.endsWith(`{${container}}`) ?? false;
}

/** A name may hold any of the words that tell a refusal. */
function withoutName(text: string, image: string): string {
  const [path = image] = image.split(/[:@](?!.*\/)/, 1);
  return text.replaceAll(image, "").replaceAll(path, "");
}

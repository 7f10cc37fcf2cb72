import { rules } from "../../policy/rules";
import { networkCheck } from "../doctor/networkCheck";
import type { Patient } from "../doctor/patient";
import { releaseCheck } from "../doctor/releaseChecks";
import { stackCheck } from "../doctor/stackChecks";
import { statusCheck } from "../doctor/statusCheck";
import { workloadCheck } from "../doctor/workloadChecks";
import { architecture } from "../preflight/architecture";
import { charts } from "../preflight/charts";
import { deployedData } from "../preflight/deployedData";
import { ingress } from "../preflight/ingress";
import type { Inspection } from "../preflight/inspection";
import { obstacles } from "../preflight/obstacles";
import { ownImages } from "../preflight/ownImages";
import { permissions } from "../preflight/permissions";
import { ports } from "../preflight/ports";
import { prerequisites } from "../preflight/prerequisites";
import { registries } from "../preflight/registries";
import { room } from "../preflight/room";
import { storage } from "../preflight/storage";
import { version } from "../preflight/version";
import { certificateCheck, definitionCheck, otherInstallation, webhookCheck } from "../serving/checks";
import type { Check } from "./check";

/** Of every resource, at each preview and before it is made. */
export { rules };

/** What `status` marks: the last thing that `doctor` looks at, as all else explains more. */
export { statusCheck };

/** Before `up` changes anything in a cluster. */
export const beforehand: readonly Check<Inspection>[] = [
  version,
  room,
  storage,
  deployedData,
  architecture,
  permissions,
  obstacles,
  otherInstallation,
  prerequisites,
  ingress,
  charts,
  registries,
  ownImages,
  ports,
];

/** By `doctor`, in the order in which what they find is best mended. */
export const byDoctor: readonly Check<Patient>[] = [
  stackCheck,
  networkCheck,
  releaseCheck,
  webhookCheck,
  definitionCheck,
  certificateCheck,
  workloadCheck,
];

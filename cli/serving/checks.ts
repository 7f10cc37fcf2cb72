/** What is checked of the software that serves models. */
export { certificateCheck, definitionCheck, webhookCheck } from "./seldon/doctor";
export { otherInstallation } from "./seldon/otherInstallation";

/** The policy pack: `pulumi preview --policy-pack policy`. Importing it starts the server that the engine asks. */
import { PolicyPack } from "@pulumi/policy";

import { policies } from "./pack";

new PolicyPack("mlplatform", { policies: policies() });

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { MlPlatform } from "./components/platform";

/** The program. A function, which `pulumi up` calls, so that importing it reads and creates nothing. */
export = function program() {
  const config = new pulumi.Config("mlplatform");

  const cluster = new k8s.Provider("cluster", {
    context: config.require("context"),
    // Empty: the provider looks where kubectl does. Left out, the SDK would put $KUBECONFIG here, and with it
    // a path of this machine into the state.
    kubeconfig: "",
  });
  const platform = new MlPlatform("mlplatform", {}, { provider: cluster });

  return { namespaces: platform.namespaces };
};

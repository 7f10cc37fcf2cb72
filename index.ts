import * as k8s from "@pulumi/kubernetes";

import { MlPlatform } from "./components/platform";
import { type LockUse, loadConfig } from "./config";

/**
 * The program. A function, which `pulumi up` calls, so that importing it reads and creates nothing.
 *
 * @param lock what to do about models for which no version has been decided on. @default they are left out
 */
export = function program(lock?: LockUse) {
  const config = loadConfig(lock);

  const cluster = new k8s.Provider("cluster", {
    context: config.context,
    // Empty: the provider looks where kubectl does. Left out, the SDK would put $KUBECONFIG here, and with it
    // a path of this machine into the state.
    kubeconfig: "",
    // Each creation is a field manager of its own. One that was cut off would own its fields for ever, and
    // refuse what the next `up` changes in them.
    enablePatchForce: true,
    // A changed Secret is changed in place; replaced, whatever reads it would be replaced with it.
    enableSecretMutable: true,
  });
  const platform = new MlPlatform("mlplatform", config, { provider: cluster });

  return {
    namespaces: platform.namespaces,
    trackingUri: platform.trackingUri,
    objectStoreEndpoint: platform.objectStoreEndpoint,
    models: platform.models,
  };
};

import * as z from "zod";

import { type ByEnvironment, hostName, resources } from "../../config/fields";

/** The page on which people ask the models. */
export const frontend = (by: ByEnvironment) =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(by({ dev: true, staging: false, prod: false }))
        .describe(
          "whether there is the page, where there are models; it has no log-in: whoever reaches it may ask all of them",
        ),
      hosts: z
        .array(hostName)
        .max(20)
        .default([])
        .describe(
          "names by which browsers reach it beside `localhost`, such as that of an ingress of your own",
        ),
      resources: resources({ cpu: "50m", memory: "192Mi", memoryLimit: "512Mi" }),
    })
    .prefault({})
    .describe("the page on which people ask the models in service");

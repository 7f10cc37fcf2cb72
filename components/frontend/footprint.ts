import type { Footprint } from "../footprint";

/** The page's port; its Service's too. */
export const frontendPort = 8501;

export const frontend = {
  namespaces: {
    frontend: {
      name: "fe",
      level: "restricted",
      // It asks the models, and nobody else. People come through the API server, or through a way in of their own.
      uses: ["models"],
      service: { name: "frontend", port: frontendPort },
    },
  },
  titles: { "mlplatform:frontend:Frontend": () => "front end" },
} as const satisfies Footprint;

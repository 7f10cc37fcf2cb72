import { userInfo } from "node:os";

/** When something was done, and by whom. */
export interface Signed {
  /** In ISO's form. */
  readonly at: string;
  readonly by: string;
}

/** That it is done now, by whoever runs the command. */
export function signed(): Signed {
  return { at: new Date().toISOString(), by: userInfo().username };
}

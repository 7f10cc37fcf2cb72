/** The package has no types of its own. */
declare module "fs-native-extensions" {
  /**
   * Locks a file that is open, until it is closed: also against other openings of it by this process.
   *
   * @returns whether it was free.
   */
  export function tryLock(file: number): boolean;
}

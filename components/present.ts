/** A list of what there is: the value, or nothing. */
export function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

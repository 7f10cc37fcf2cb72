import type { Understood } from "../config/checks";
import type { Mistake } from "../config/mistakes";
import { footprints } from "./capabilities";
import type { FixedValue, Path, PodSecurityLevel } from "./footprint";
import { isGroup } from "./values";

/**
 * What of the values that the user gives to charts would break what the rest of the platform counts on, or is refused
 * by its namespace.
 */
export function checkValues(config: Understood): Mistake[] {
  const sections = config as Readonly<Record<string, { readonly values?: unknown } | undefined>>;
  return footprints.flatMap(({ installs, charts = {}, namespaces = {} }) => {
    const level = Object.values(namespaces)[0]?.level ?? "restricted";
    return (installs?.(config) ?? []).flatMap(({ name }) => {
      const { section = "", fixed = [] } = charts[name] ?? {};
      const values = sections[section]?.values;
      const found = [...changedValues(values, fixed), ...refusedValues(values, level)];
      // Of what is wrong at one place the first is told.
      const places = new Map(found.reverse().map((one) => [one.path.join("\n"), one]));
      return [...places.values()].map(({ path, message }) => ({
        path: [section, "values", ...path],
        message,
      }));
    });
  });
}

/** The values that would change what others count on. */
function changedValues(values: unknown, fixed: readonly FixedValue[]): Mistake[] {
  return fixed.flatMap(({ at, why, harmless }) => {
    const found = given(values, at);
    // What replaces the whole group is nothing that its keys could be harmless in.
    return found === undefined || (found.at.length === at.length && harmless?.(found.value) === true)
      ? []
      : [{ path: found.at, message: `is fixed: ${why}` }];
  });
}

/** The values that no pod of the namespace may have. */
function refusedValues(values: unknown, level: PodSecurityLevel): Mistake[] {
  return everyKey(values)
    .filter(({ at, value }) => isRefused(at, value, level))
    .map(({ at, value }) => ({
      path: at,
      message:
        `is ${JSON.stringify(value)}, which the Pod Security level of its namespace, ${level}, refuses: ` +
        "leave it out",
    }));
}

/** Keys and indices from the top of a chart's values. */
type Place = readonly (string | number)[];

interface Given {
  readonly at: Place;
  readonly value: unknown;
}

/** What is given for a place: there, or above it where the whole group is replaced. An empty group gives nothing. */
function given(values: unknown, [key, ...below]: Path, above: Path = []): Given | undefined {
  if (key === undefined) return isEmpty(values) ? undefined : { at: above, value: values };
  if (values === undefined) return undefined;
  if (!isGroup(values)) return { at: above, value: values };
  return given(values[key], below, [...above, key]);
}

/** Every key of the values, with its path. */
function everyKey(values: unknown, above: Place = []): Given[] {
  if (Array.isArray(values)) return values.flatMap((item, index) => everyKey(item, [...above, index]));
  if (!isGroup(values)) return [];
  return Object.entries(values).flatMap(([key, value]) => {
    const at = [...above, key];
    return [{ at, value }, ...everyKey(value, at)];
  });
}

/** What a level refuses: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
function isRefused(at: Place, value: unknown, level: PodSecurityLevel): boolean {
  const [key = "", above = ""] = [...at].reverse().map(String);
  // Labels, variables and the like may be called anything.
  if (at.some((one) => /^(.*annotations|.*labels|nodeSelector|extraEnvVars)$/i.test(String(one))))
    return false;
  const is = (...values: unknown[]) => values.includes(value) || values.map(String).includes(String(value));
  const always =
    (["hostNetwork", "hostPID", "hostIPC", "privileged"].includes(key) && is(true)) ||
    (key === "hostPath" && !isEmpty(value)) ||
    (above === "seccompProfile" && key === "type" && is("Unconfined")) ||
    (above === "capabilities" && key === "add" && !isEmpty(value));
  const restricted =
    (/securityContext$/i.test(key) && value === null) ||
    (key === "seccompProfile" && value === null) ||
    (key === "nfs" && !isEmpty(value)) ||
    (key === "allowPrivilegeEscalation" && is(true)) ||
    (key === "runAsNonRoot" && is(false)) ||
    (key === "runAsUser" && is(0)) ||
    (above === "capabilities" && key === "drop" && !(Array.isArray(value) && value.includes("ALL")));
  return always || (level === "restricted" && restricted);
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    (Array.isArray(value) && value.length === 0) ||
    (isGroup(value) && Object.keys(value).length === 0)
  );
}

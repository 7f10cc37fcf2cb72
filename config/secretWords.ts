/** What secrets look like, and what stands for them. */

/** Stands in the configuration for a secret that is not decrypted. A word that passes for a name, so that whoever looks at it goes on. */
export const undecrypted = "secret-not-decrypted";

/** A key whose value is a secret itself, as opposed to a reference such as `passwordKey` or `existingSecret`. */
export const secretKey =
  /(password|passwd|passphrase|secret[-_]?key|access[-_]?key([-_]?id)?|token|api[-_]?key|private[-_]?key)$/i;

/** A value that some other program replaces before use: `$(NAME)`, `${NAME}`, `{{ … }}`. */
const placeholder = /^(\$\([^)]*\)|\$\{[^}]*\}|\$\w+|\{\{[^}]*\}\})$/;

/** Whether a text is what it says, and not replaced by something else before use. */
export function isLiteral(text: string): boolean {
  return text !== "" && !placeholder.test(text);
}

/**
 * Who calls, in an address: a password, a token in its place or in the query, of other than web addresses no name alone.
 * Registries are named without a scheme.
 */
const callers = [
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"']*:([^\s/@"']+)@/gi,
  /\bhttps?:\/\/([^\s:/?#@"']+)@/gi,
  /^[^\s:/@]+:([^\s/@]+)@[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:[:/]|$)/gi,
  /:\/\/\S*[?&][\w.-]*(?:token|signature|password|api[-_]?key|secret|sig)=([^&\s#]+)/gi,
];

/** What keys look like that services give out: of GitHub, GitLab, Slack and PyPI, and whatever is in PEM. */
const issued =
  /\b(gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|pypi-[\w-]{40,})|-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Whether an address in a text tells who calls. */
export function hasCaller(text: string): boolean {
  return callers.some((pattern) => [...text.matchAll(pattern)].some(([, secret = ""]) => isLiteral(secret)));
}

/** Whether a text is a key that a service has given out. */
export function isIssued(text: string): boolean {
  return issued.test(text);
}

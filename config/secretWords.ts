/** What secrets look like, and what stands for them. */

/** Stands in the configuration for a secret that is not decrypted. A word that passes for a name, so that whoever looks at it goes on. */
export const undecrypted = "secret-not-decrypted";

/** Ends of names whose value is a secret itself, as opposed to a reference such as `passwordKey`; the short ones as whole words. */
const secretName =
  /(?:password|passwd|passphrase|token|(?:secret|access|api|private|account)[-_]?key(?:[-_]?id)?|(?<![a-z])(?:pass|pwd|secret|credential))s?[-_]?\d*$/;

/** A value that some other program replaces before use: `$(NAME)`, `${NAME}`, `{{ … }}`. */
const placeholder = /^(\$\([^)]*\)|\$\{[^}]*\}|\$\w+|\{\{[^}]*\}\})$/;

/** What is no secret whatever its name: switches, and tokens of a text such as `<pad>`. */
const harmless = /^(?:true|false|yes|no|on|off|null|<.*>|\[[A-Z]+\])$/i;

/** Nor are numbers, as of MAX_TOKENS, but where people choose what is secret. */
const amount = /^[-+]?[\d_.]+(?:e[-+]?\d+)?$/i;
const chosen = /pass|pwd|secret|credential/;

/** Whether a text is what it says, and not replaced by something else before use. */
function isLiteral(text: string): boolean {
  return text !== "" && !placeholder.test(text);
}

/** Whether a key's name says that its text is a secret, and the text may be one. */
export function isSecretByName(name: string, text: string): boolean {
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase();
  const isNone = harmless.test(text) || (amount.test(text) && !chosen.test(words));
  return secretName.test(words) && isLiteral(text) && !isNone;
}

/** Who calls, in an address and in what drivers take: a password, or a token in its place; of other than web addresses no name alone. */
const callers = [
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"']*:([^\s/@"']+)@/gi,
  /\bhttps?:\/\/([^\s:/?#@"']+)@/gi,
  /(?:password|passwd|pwd|account_?key|shared_?access_?key) ?= ?([^\s;&"'`$<{][^\s;&"']*)/gi,
];

/** Registries are named without a scheme. */
const registryCaller = /^[^\s:/@]+:([^\s/@]+)@[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:[:/]|$)/gi;

/** What lets whoever has an address read what is there. Short values of common names are none. */
const signatures = [
  /:\/\/\S*[?&][\w.-]*(?:token|signature|password|api[-_]?key|secret|sig)=([^&\s#]+)/gi,
  /:\/\/\S*[?&](?:key|auth|code|pwd)=([^&\s#]{8,})/gi,
];

/** What keys look like that services give out, and whatever is in PEM. */
const issued = new RegExp(
  [
    String.raw`\b(?:gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|pypi-[\w-]{40,})`,
    String.raw`\b(?:A(?:KIA|SIA)[A-Z\d]{16}\b|AIza[\w-]{30,}|dckr_pat_[\w-]{20,}|(?:hf|npm)_[A-Za-z\d]{20,})`,
    String.raw`\b(?:[rs]k_(?:live|test)_[A-Za-z\d]{10,}|sk-(?:\w+-)*\w{20,})`,
    String.raw`\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*`,
    String.raw`\b[Bb]earer +(?=\S*[\d=_.-])[\w+/.~=-]{6,}$`,
    String.raw`\bhttps://hooks\.slack\.com/services/\w`,
    String.raw`-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----`,
  ].join("|"),
);

/** `Basic …` of HTTP: a user and a password in base64. */
const basic = /\bbasic +([\w+/-]{4,}={0,2})$/i;

function hasOneOf(patterns: readonly RegExp[], text: string): boolean {
  return patterns.some((pattern) => [...text.matchAll(pattern)].some(([, secret = ""]) => isLiteral(secret)));
}

/** Whether a text tells who calls: a user with a password, in an address or beside one. */
export function hasCaller(text: string): boolean {
  return hasOneOf(callers, text);
}

/** The same of the name of an image or a registry. */
export function hasRegistryCaller(text: string): boolean {
  return hasOneOf([...callers, registryCaller], text);
}

/** Whether the query of an address lets whoever has it in. */
export function hasSignature(text: string): boolean {
  return hasOneOf(signatures, text);
}

/** Whether a text is a key that a service has given out, or what HTTP sends in its place. */
export function isIssued(text: string): boolean {
  const [, pair] = basic.exec(text) ?? [];
  return (
    issued.test(text) ||
    (pair !== undefined && /^[ -~]*:[ -~]*$/.test(Buffer.from(pair, "base64").toString("latin1")))
  );
}

import { stripVTControlCharacters } from "node:util";

import type { Severity } from "../../../finding";
import { brief } from "./scene";

/** A fault that a log names, and what is to be done about it. */
interface NamedFault {
  readonly pattern: RegExp;
  readonly mend: string;
  /** No waiting mends it. */
  readonly severity: Severity;
  /** It is about a name that nobody knows. */
  readonly name?: true;
}

/** What programs write when somebody else refuses them or is not there; the first that fits is told. */
const faults: readonly NamedFault[] = [
  {
    // As `ml-app/standardserver/decided.py` says it.
    pattern: / is not what was decided on: /,
    mend: "Somebody has changed the version's files in the bucket since it was decided on. Find out who; then put them back, or register the model again, and: npm run models -- update. Until then the version before goes on serving.",
    severity: "error",
  },
  {
    // As `ml-app/standardserver/expected.py` says it.
    pattern:
      /^it (answers the same rows otherwise from one time to the next|does not answer its own example): /,
    mend: "Log the model with an example that it answers, each time the same, and: npm run models -- update. Or write parity: off for it: its answers are then compared with nothing. Until then the version before goes on serving.",
    severity: "error",
  },
  {
    pattern: /password authentication failed|no pg_hba\.conf entry|role "[^"]*" does not exist/,
    mend: "The database refuses user or password. Elsewhere: correct database.username and database.password. In the cluster: somebody has changed it there; set it back to what Secret mlflow-db in namespace mlflow has.",
    severity: "error",
  },
  {
    pattern: /database "[^"]*" does not exist/,
    mend: "Make that database, or correct database.name.",
    severity: "error",
  },
  {
    pattern: /XMinioStorageFull|No space left on device|disk quota exceeded/i,
    mend: "A volume is full. Make room, or a larger one: objectStore.storage.size or database.storage.size, where the storage class allows volumes to grow.",
    severity: "error",
  },
  {
    pattern: /SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied\b/,
    mend: "The store refuses the key. Elsewhere: correct objectStore.users. In the cluster: npm run up sets its users up again.",
    severity: "error",
  },
  {
    pattern: /CERTIFICATE_VERIFY_FAILED|certificate verify failed|x509: certificate/,
    mend: "The certificate of the other end is not trusted in the cluster: take one of a known authority, or its name.",
    severity: "error",
  },
  {
    pattern:
      /could not translate host name|Name or service not known|Temporary failure in name resolution|no such host|NameResolutionError/,
    mend: "A name is not known in the cluster: correct the address, or see whether the cluster's DNS runs (kubectl -n kube-system get pods -l k8s-app=kube-dns).",
    severity: "warning",
    name: true,
  },
];

/** Lines of a traceback and of a program's frame, which say where and not what. */
const frame = /^\s|^Traceback|^During handling|^The above exception|^\(Background on this error/;
const trouble =
  /error|fatal|denied|refused|fail|exception|cannot|could not|does not answer|not found|no such|unauthori[sz]ed|forbidden|timed? ?out|\bfull\b/i;

const called = /^(error|fatal)\b/i;
const leadingCharacters = 60;

/** A line from shortly before what matters in it: an error that quotes others can be long. */
function from(line: string, pattern: RegExp): string {
  const start = (pattern.exec(line)?.index ?? 0) - leadingCharacters;
  return start <= leadingCharacters ? line : `…${line.slice(start)}`;
}

/** The lines of a log for people: without colours and blank ends. */
export function linesOf(body: string): string[] {
  return stripVTControlCharacters(body)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !line.startsWith("unable to retrieve container logs"));
}

/** A line of a log; of a fault that has a name, with what is known of that. */
export type Said = { readonly line: string } & Pick<NamedFault, "severity" | "name"> & {
    readonly mend?: string;
  };

/** What a log says is wrong: a fault by name, else the last line that sounds like one. Undefined if none does. */
export function saidIn(log: readonly string[]): Said | undefined {
  for (const { pattern, ...fault } of faults) {
    const line = log.findLast((one) => pattern.test(one));
    if (line !== undefined) return { line: brief(from(line, pattern)), ...fault };
  }
  // What a program calls its error is one; what it says after it, of what it does about it, sounds like one.
  const line =
    log.findLast((one) => called.test(one)) ?? log.findLast((one) => trouble.test(one) && !frame.test(one));
  return line === undefined ? undefined : { line: brief(line), severity: "warning" };
}

/** Whether a log complains of an error inside of MLflow, whose own log then says more. */
export function blamesMlflow(log: readonly string[]): boolean {
  return log.some((line) => /mlflow/i.test(line) && /\b50\d\b|too many 50\d error responses/.test(line));
}

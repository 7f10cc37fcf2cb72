import { error, type Finding, warning } from "../../finding";
import { listed } from "../../config/words";

/** What `stores.py` has found wrong. */
export interface StoreFact {
  /** `database`, `store`, or the user of the store whom it concerns. */
  readonly about: string;
  readonly fault: string;
  /** The other end's own words. */
  readonly said: string;
  readonly user?: string;
  readonly bucket?: string;
  /** The folder of the bucket that alone was asked about, with a slash at its end; else empty. */
  readonly folder?: string;
  /** `list`, `read`, `write`, `delete`. */
  readonly right?: string;
  /** The object that was asked about. */
  readonly key?: string;
}

/** The database and the store as they are configured. */
export interface StorePlaces {
  readonly database?: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly username: string;
  };
  /** The endpoint is empty for AWS. */
  readonly store?: {
    readonly endpoint: string;
    readonly region: string;
    readonly modelBucket: string;
    readonly dataBucket: string;
    readonly predictionBucket: string;
    /** Of the bucket of the data. */
    readonly copiesFolder: string;
  };
}

type Store = NonNullable<StorePlaces["store"]>;

/**
 * What is wrong with the database and the store, each with the key of the configuration and the way out.
 *
 * @param stack whose configuration it is.
 */
export function storeProblems(
  facts: readonly StoreFact[],
  { database, store }: StorePlaces,
  stack: string,
): Finding[] {
  const setSecret = (place: string) => `npm run secret -- ${place} --stack ${stack}`;
  const ofDatabase = facts.filter(({ about }) => about === "database");
  const ofStore = facts.filter(({ about }) => about === "store");
  const ofUsers = facts.filter(({ about }) => about !== "database" && about !== "store");
  const users = (wanted: string) => ofUsers.filter(({ fault }) => fault === wanted);
  return [
    ...(database === undefined ? [] : ofDatabase.map((fact) => databaseProblem(fact, database, setSecret))),
    ...(store === undefined
      ? []
      : [
          ...ofStore.map((fact) => storeProblem(fact, store)),
          ...users("login").map((fact) => loginProblem(fact, setSecret)),
          ...bucketProblems(users("bucket"), store),
          ...rightProblems(users("forbidden"), store),
        ]),
  ];
}

function databaseProblem(
  { fault, said }: StoreFact,
  { host, port, name, username }: NonNullable<StorePlaces["database"]>,
  setSecret: (place: string) => string,
): Finding {
  const server = `the database ${host}:${port}`;
  switch (fault) {
    case "name":
      return error(
        `no name server of the cluster knows ${host}, the database's host (${said})`,
        "Correct database.host, or make the name known in the cluster",
      );
    case "closed":
    case "silent":
      return error(
        `${server} cannot be reached from a pod of the cluster: ${said}`,
        "Start it, correct database.host or database.port, or let the cluster's pods through its firewall",
      );
    case "login":
      return error(
        `${server} refuses user ${username}: ${said}`,
        `Correct database.username, or database.password: ${setSecret("database.password")}`,
      );
    case "database":
      return error(
        `${server} has no database ${name}: ${said}`,
        `Make it there, with the user's schema, or correct database.name`,
      );
    case "schema":
      return error(
        `user ${username} can make no tables in database ${name}, ${server}: ${said}`,
        `Give the user a schema: CREATE SCHEMA mlflow AUTHORIZATION "${username}"; ` +
          `ALTER ROLE "${username}" IN DATABASE "${name}" SET search_path = mlflow; or correct database.username`,
      );
    case "owner":
      return error(
        `MLflow's tables in database ${name} belong to ${said}, and user ${username} (database.username) cannot change them`,
        `Give them to the user (REASSIGN OWNED BY "${said}" TO "${username}";), or correct database.username`,
      );
    case "busy":
      return warning(`${server} takes no connections at the moment: ${said}`, "Go on if that passes");
    default:
      return error(
        `${server} does not answer as it should: ${said}`,
        "Correct database.host or database.port",
      );
  }
}

function storeProblem({ fault, said, user = "" }: StoreFact, { endpoint, region }: Store): Finding {
  const server = `the store ${endpoint || `of AWS in ${region}`}`;
  const place = endpoint === "" ? "objectStore.region" : "objectStore.endpoint";
  switch (fault) {
    case "name":
      return error(
        `no name server of the cluster knows the host of ${server} (${said})`,
        `Correct ${place}, or make the name known in the cluster`,
      );
    case "closed":
    case "silent":
      return error(
        `${server} cannot be reached from a pod of the cluster: ${said}`,
        `Start it, correct ${place}, or let the cluster's pods through its firewall`,
      );
    case "certificate":
      return error(
        `the certificate of ${server} is not accepted in the cluster: ${said}`,
        `Take one of a known authority, for the host's name and not expired, or correct ${place}`,
      );
    case "clock":
      return error(
        `${server} refuses requests, since its clock and the cluster's differ: ${said}`,
        "Set both clocks (NTP)",
      );
    case "region":
      return error(`${server} has its buckets in another region: ${said}`, "Correct objectStore.region");
    default:
      return error(
        `${server} does not answer user ${user} as an S3 store should: ${said}`,
        `Correct ${place}: it is the address of the S3 API, not of a console`,
      );
  }
}

/** One for each bucket, whoever has found it missing. */
function bucketProblems(facts: readonly StoreFact[], store: Store): Finding[] {
  return [...new Set(facts.map(({ bucket = "" }) => bucket))].map((bucket) =>
    error(
      `the store has no bucket ${bucket} (${bucketKey(bucket, store)})`,
      "Make it there, or correct the name",
    ),
  );
}

function loginProblem({ about, said }: StoreFact, setSecret: (place: string) => string): Finding {
  const place = `objectStore.users.${about}`;
  return error(
    `the store refuses the keys of user ${about}: ${said}`,
    `Correct ${place}.accessKeyId, or ${place}.secretAccessKey: ${setSecret(`${place}.secretAccessKey`)}`,
  );
}

/** One for each user and place, with all that it may not do there. Without its rights to copies of data the platform works. */
function rightProblems(facts: readonly StoreFact[], store: Store): Finding[] {
  const placeOf = ({ about, bucket = "", folder = "" }: StoreFact) => `${about} ${bucket} ${folder}`;
  const ofPlace = (place: string) => facts.filter((fact) => placeOf(fact) === place);
  return facts
    .filter((fact) => ofPlace(placeOf(fact))[0] === fact)
    .map((first) => {
      const own = ofPlace(placeOf(first));
      const { about: user, bucket = "", folder = "", said } = first;
      const rights = listed(own.map(({ right = "" }) => right));
      const left = own.find(({ right }) => right === "delete")?.key;
      // Some stores say the same of a bucket that is not there, so as not to tell.
      const hidden = folder === "" && own.some(({ right }) => right === "list");
      const where = folder === "" ? `of bucket ${bucket}` : `below ${folder} of bucket ${bucket}`;
      const what =
        `user ${user} (objectStore.users.${user}) may not ${rights} objects ${where}` +
        `${hidden ? ", or there is no such bucket" : ""}: ${said}`;
      const mend =
        'Give it the rights of docs/configuration.md, "Take a store elsewhere"' +
        (hidden ? `, or correct ${bucketKey(bucket, store)}` : "") +
        (folder === "" ? "" : ", or go on without copies of the data that models are trained on") +
        (left === undefined ? "" : `. Remove ${left}, if it is there: it was written to find out`);
      return folder === "" ? error(what, mend) : warning(what, mend);
    });
}

function bucketKey(bucket: string, store: Store): string {
  const key =
    (["dataBucket", "predictionBucket"] as const).find((one) => store[one] === bucket) ?? "modelBucket";
  return `objectStore.${key}`;
}

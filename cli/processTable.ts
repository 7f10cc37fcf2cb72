import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** What the system knows of a process that runs; one that has ended and waits for its parent is left out. */
export interface ProcessFacts {
  readonly pid: number;
  /** Number of its process group: that of the process which leads it, or led it. */
  readonly group: number;
  /** When it started, in whatever form the system says it. Numbers are given again, this is not. */
  readonly started: string;
}

/** A process with a variable. */
export interface Having {
  readonly pid: number;
  readonly group: number;
  readonly value: string;
}

/** The processes of this machine. */
export interface ProcessTable {
  /** One process; undefined if none of this number runs. */
  readonly facts: (pid: number) => ProcessFacts | undefined;
  readonly all: () => ProcessFacts[];
  /** All processes with this variable in the environment that they were started with, as far as it is ours to read. */
  readonly having: (name: string) => Having[];
  /** A variable of the environment that a process was started with; undefined if it has none or it is not ours to read. */
  readonly variable: (pid: number, name: string) => string | undefined;
  /** Whether a process of this group listens on a TCP port; true also where the system does not tell. */
  readonly listens: (group: number, port: number) => boolean;
}

/** Linux: what the kernel tells in `/proc`. */
export const procTable: ProcessTable = {
  facts: (pid) => {
    // Behind the command's name in parentheses: state, parent, group, …; the start time is the twentieth.
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, "")
      .split(" ");
    const [state, , group] = fields;
    if (state === undefined || state === "" || state === "Z" || fields[19] === undefined) return undefined;
    // It counts from the machine's start, so that alone would be the same again after the next one.
    return {
      pid,
      group: Number(group),
      started: `${read("/proc/sys/kernel/random/boot_id").trim()}/${fields[19]}`,
    };
  },
  all: () =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => procTable.facts(Number(name)) ?? []),
  having: (name) =>
    procTable.all().flatMap(({ pid, group }) => {
      const value = procTable.variable(pid, name);
      return value === undefined ? [] : [{ pid, group, value }];
    }),
  variable: (pid, name) =>
    read(`/proc/${pid}/environ`)
      .split("\0")
      .find((entry) => entry.startsWith(`${name}=`))
      ?.slice(name.length + 1),
  listens: (group, port) => {
    // Local address in hexadecimal, "0A" for a listening socket, and its inode: proc_pid_net(5).
    const listening = [...read("/proc/net/tcp").matchAll(/^ *\d+: \S+:(\S{4}) \S+ 0A( +\S+){5} +(\d+)/gm)];
    const sockets = listening
      .filter(([, hex = ""]) => parseInt(hex, 16) === port)
      .map(([, , , inode]) => `socket:[${inode ?? ""}]`);
    const members = procTable.all().filter((one) => one.group === group);
    return members.some(({ pid }) => linksIn(`/proc/${pid}/fd`).some((link) => sockets.includes(link)));
  },
};

const psFields = ["-o", "pid=,pgid=,stat=,lstart="];

/** macOS, and whatever else has no `/proc`. */
export const psTable: ProcessTable = {
  facts: (pid) => psLines(...psFields, "-p", String(pid))[0],
  all: () => psLines(...psFields, "-A"),
  having: (name) =>
    [
      ...ps("eww", "-A", "-o", "pid=,pgid=,command=").matchAll(
        new RegExp(`^ *(\\d+) +(\\d+) .*\\s${name}=(\\S*)`, "gm"),
      ),
    ].map(([, pid, group, value = ""]) => ({ pid: Number(pid), group: Number(group), value })),
  variable: (pid, name) => {
    // The environment stands behind the command line, parted by blanks: values that have none can be told.
    const line = ps("eww", "-o", "command=", "-p", String(pid));
    return new RegExp(`\\s${name}=(\\S*)`).exec(line)?.[1];
  },
  listens: (group, port) => {
    const found = spawnSync("lsof", [
      "-a",
      "-nP",
      "-t",
      "-g",
      String(group),
      `-iTCP:${port}`,
      "-sTCP:LISTEN",
    ]);
    return found.error !== undefined || found.stdout.length > 0;
  },
};

/** The processes of this machine, as its system tells them. */
export const processTable: ProcessTable = process.platform === "linux" ? procTable : psTable;

function psLines(...args: string[]): ProcessFacts[] {
  return ps(...args)
    .split("\n")
    .flatMap((line) => {
      const [, pid, group, state = "", started = ""] =
        /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line) ?? [];
      return pid === undefined || state.startsWith("Z")
        ? []
        : [{ pid: Number(pid), group: Number(group), started }];
    });
}

function ps(...args: string[]): string {
  try {
    // A start time is the same text whatever the user's language and time zone are.
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    return execFileSync("ps", args, { encoding: "utf8", env, stdio: "pipe", maxBuffer: 64 * 1024 * 1024 });
  } catch {
    return "";
  }
}

function linksIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => link(`${folder}/${name}`));
  } catch {
    return [];
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

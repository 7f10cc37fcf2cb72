/** The project's files as they were at a commit, read by git. */
import { UserError } from "../errors";
import { git } from "../git";
import { projectDir } from "../paths";

export class Base {
  private constructor(
    /** The commit, in full. */
    readonly commit: string,
    private readonly folder: string,
  ) {}

  /**
   * The commit that a branch has left another one at: what a change is compared with.
   *
   * @param ref a branch, tag or commit.
   * @param folder of the project. @default this one
   * @throws UserError there is none, or this is no repository.
   */
  static async of(ref: string, folder = projectDir): Promise<Base> {
    const known = await git(folder, ["rev-parse", "--verify", "--end-of-options", `${ref}^{commit}`]);
    if (known === undefined)
      throw new UserError(
        `--base: git knows no commit ${JSON.stringify(ref)} here. Fetch it, or name another one: a branch, a tag, a commit.`,
      );
    const shared = await git(folder, ["merge-base", known.trim(), "HEAD"]);
    if (shared === undefined)
      throw new UserError(
        `--base: ${JSON.stringify(ref)} and this branch have no commit in common, or history is missing here: ` +
          "git fetch --unshallow",
      );
    return new Base(shared.trim(), folder);
  }

  /** A file of the project, by its path there; undefined if it was not there. */
  read(file: string): Promise<string | undefined> {
    return git(this.folder, ["show", `${this.commit}:./${file}`]);
  }

  /** The project's files that are not what they were, were not there, or are gone; by their path in it. */
  async changed(): Promise<ReadonlySet<string>> {
    const lists = await Promise.all([
      git(this.folder, ["diff", "--name-only", "--relative", "-z", this.commit, "--", "."]),
      git(this.folder, ["ls-files", "--others", "--exclude-standard", "-z", "--", "."]),
    ]);
    return new Set(lists.flatMap((list) => (list ?? "").split("\0")).filter((file) => file !== ""));
  }

  /** The names of the files in a folder of the project. */
  async list(folder = "."): Promise<string[]> {
    const listed = await git(this.folder, ["ls-tree", "--name-only", "-z", this.commit, "--", `${folder}/`]);
    return (listed ?? "")
      .split("\0")
      .filter((name) => name !== "")
      .map((name) => name.replace(/^.*\//, ""));
  }
}

import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/**
 * Makes a password once; it stays the same for as long as the stack lives.
 *
 * Letters and digits only: some charts put passwords into addresses as they are (the exporter of the Postgres chart,
 * MLflow's `sed`). 32 of them are 190 bits.
 */
export function createPassword(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  return new random.RandomPassword(name, { length: 32, special: false }, opts).result;
}

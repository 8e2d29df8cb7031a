// Puts the mountfs component into the app, with the native command.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The app with the mountfs component in it. */
export async function compose(app: string, command = process.env["MOUNTFS"] ?? "mountfs"): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "mountfs-"));
  const composed = join(folder, "composed.wasm");
  try {
    await run(command, ["compose", app, "--output", composed]);
    return await readFile(composed);
  } catch (error) {
    throw new Error(why(error, command, app));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function why(error: unknown, command: string, app: string): string {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  if (code === "ENOENT" || code === "EACCES") {
    return (
      `cannot run \`${command}\`, which puts the mountfs component into ${app}: build it with ` +
      "`cargo build --release -p mountfs-host`, then name it with --mountfs PATH or the variable MOUNTFS"
    );
  }
  return typeof stderr === "string" && stderr.trim() ? stderr.trim() : String(error);
}

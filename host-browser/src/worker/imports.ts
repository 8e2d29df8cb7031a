// All that an app may import, as jco wants it: by interface, each function guarded.
import { Descriptor, DirectoryEntryStream, filesystemErrorCode, InputStream, IoError, OutputStream, Pollable } from "../files/index.js";
import type { Program } from "../protocol.js";
import { toWitError } from "../wit.js";
import { guardedInterface, type Translate } from "./guard.js";
import { monotonicClock, wallClock } from "./wasi/clocks.js";
import { environment, Exit, exit } from "./wasi/command.js";
import { poll } from "./wasi/poll.js";
import { insecure, insecureSeed, random } from "./wasi/random.js";
import * as sockets from "./wasi/sockets.js";
import type { Streams } from "./wasi/stdio.js";

/** What one run gives an instance. It is read when the app asks, not before: an instance is made before it is run. */
export interface Run {
  program: Program;
  streams: Streams;
}

class TerminalInput {}
class TerminalOutput {}
const noTerminal = () => undefined;

/** The imports of one instance. */
export function appImports(run: Run, grants: object): Record<string, object> {
  const imports: Record<string, [interface_: object, translate: Translate]> = {
    "mountfs:fs/grants": [grants, toWitError],
    "mountfs:fs/types": [{}, unexpected],
    "wasi:filesystem/types": [{ Descriptor, DirectoryEntryStream, filesystemErrorCode }, toErrorCode],
    // The app sees mounted folders, and nothing else.
    "wasi:filesystem/preopens": [{ getDirectories: () => [] }, unexpected],
    "wasi:io/error": [{ Error: IoError }, unexpected],
    "wasi:io/poll": [{ Pollable, poll }, unexpected],
    "wasi:io/streams": [{ InputStream, OutputStream }, toStreamError],
    "wasi:clocks/monotonic-clock": [monotonicClock, unexpected],
    "wasi:clocks/wall-clock": [wallClock, unexpected],
    "wasi:random/random": [random, unexpected],
    "wasi:random/insecure": [insecure, unexpected],
    "wasi:random/insecure-seed": [insecureSeed, unexpected],
    "wasi:cli/environment": [environment(() => run.program), unexpected],
    "wasi:cli/exit": [exit, unexpected],
    "wasi:cli/stdin": [{ getStdin: () => run.streams.stdin }, unexpected],
    "wasi:cli/stdout": [{ getStdout: () => run.streams.stdout }, unexpected],
    "wasi:cli/stderr": [{ getStderr: () => run.streams.stderr }, unexpected],
    "wasi:cli/terminal-input": [{ TerminalInput }, unexpected],
    "wasi:cli/terminal-output": [{ TerminalOutput }, unexpected],
    "wasi:cli/terminal-stdin": [{ getTerminalStdin: noTerminal }, unexpected],
    "wasi:cli/terminal-stdout": [{ getTerminalStdout: noTerminal }, unexpected],
    "wasi:cli/terminal-stderr": [{ getTerminalStderr: noTerminal }, unexpected],
    "wasi:sockets/network": [sockets.network, unexpected],
    "wasi:sockets/instance-network": [sockets.instanceNetwork, unexpected],
    "wasi:sockets/tcp": [sockets.tcp, unexpected],
    "wasi:sockets/tcp-create-socket": [sockets.tcpCreateSocket, bare],
    "wasi:sockets/udp": [sockets.udp, unexpected],
    "wasi:sockets/udp-create-socket": [sockets.udpCreateSocket, bare],
    "wasi:sockets/ip-name-lookup": [sockets.ipNameLookup, bare],
  };
  return Object.fromEntries(
    Object.entries(imports).map(([name, [functions, translate]]) => [name, guardedInterface(functions, translate)]),
  );
}

/** An interface without errors: whatever it is, it ends the app, and the next instance starts clean. */
function unexpected(thrown: unknown): unknown {
  if (!(thrown instanceof Exit)) console.error("mountfs: unexpected", thrown);
  return thrown;
}

/** Codes that are strings. */
function bare(thrown: unknown): unknown {
  return typeof thrown === "string" ? thrown : "unknown";
}

function toErrorCode(thrown: unknown): unknown {
  if (typeof thrown === "string") return thrown;
  console.error("mountfs: unexpected", thrown);
  return "io";
}

function toStreamError(thrown: unknown): unknown {
  if (typeof thrown === "object" && thrown !== null && "tag" in thrown) return thrown;
  console.error("mountfs: unexpected", thrown);
  return { tag: "closed" };
}

// What a guest wrote in a granted folder and the disk does not have, so that it is found when this tab dies.
import type { Draft } from "../files/draft.js";
import type { DirectoryNode, FileNode } from "../files/node.js";
import type { Log, LogEntry } from "./log.js";

/** Bytes, and where in a file they were written. */
export interface Written {
  start: number;
  bytes: Uint8Array;
}

/** A file in the journal. */
interface Known {
  number: number;
  path: string;
  /** The guest is removing it. */
  removing: boolean;
  /** The base's bytes that are in it. */
  base: Draft["kept"];
}

/** Bytes that may be on disk besides what is of use, and as much again as that. */
const SLACK = 16 * 1024 * 1024;

/** The drafts in one grant's folder, as they are now. It never throws: the guest's writes do not depend on it. */
export class Journal {
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #known = new Map<FileNode, Known>();
  /** What could not be written down, until it is pushed. */
  readonly #missed = new Set<FileNode>();
  #numbers = 0;
  readonly #slack: number;
  /** The size from which on it is asked whether most of it is of no use. */
  #limit: number;
  #warned = false;

  /** `changed` is called when `isWhole` is another. */
  constructor(log: Log, changed: () => void = () => {}, slack = SLACK) {
    this.#log = log;
    this.#changed = changed;
    this.#slack = this.#limit = slack;
  }

  /** Whether all that is dirty is in it. */
  get isWhole(): boolean {
    return this.#missed.size === 0;
  }

  /** Whether anything is. */
  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /** A file in the folder `base` has another draft now, or none. `written` is all that is new in it, if that is given. */
  note(file: FileNode, base: DirectoryNode, written?: Written): void {
    const draft = file.gone || !file.isIn(base) ? undefined : file.draft;
    if (!draft) {
      this.#drop(file);
    } else if (!this.#missed.has(file)) {
      const known = this.#known.get(file);
      try {
        this.#record(file, draft, base, written);
      } catch (error) {
        // What was written down before is better than nothing, but not a part of it.
        if (!known) {
          this.#drop(file);
        }
        this.#miss(file, error);
      }
    }
  }

  /**
   * A file took the name of another. If both have drafts, one record says so: whenever the tab dies, there is one of the
   * two.
   */
  noteReplaced(other: FileNode, file: FileNode, base: DirectoryNode): void {
    const [known, replaced] = [this.#known.get(file), this.#known.get(other)];
    if (known && replaced && file.draft && file.isIn(base) && !this.#missed.has(file)) {
      this.#try(() => {
        const path = file.path(base).join("/");
        this.#log.append({ ...state({ ...known, path }, file.draft!), replaces: replaced.number });
        known.path = path;
        this.#known.delete(other);
      });
    }
  }

  /**
   * The guest begins to remove a file, or that failed. Of a large one the base is on disk alone: if the tab dies when it is
   * gone there, nothing must be made of what is here.
   */
  noteRemoving(file: FileNode, removing: boolean): void {
    const known = this.#known.get(file);
    if (known) {
      known.removing = removing;
      this.#try(() => this.#log.append({ kind: "removing", file: known.number, begun: removing }));
    }
  }

  /** Nothing is noted any more; what is in it stays. */
  close(): void {
    this.#known.clear();
    this.#log.close();
  }

  #record(file: FileNode, draft: Draft, base: DirectoryNode, written: Written | undefined): void {
    let known = this.#known.get(file);
    if (known && written) {
      this.#log.append({ kind: "bytes", file: known.number, ...written });
    } else {
      const isNew = known === undefined;
      known ??= { number: ++this.#numbers, path: "", removing: false, base: undefined };
      known.path = file.path(base).join("/");
      this.#known.set(file, known);
      for (const entry of isNew ? entriesOf(known, draft) : [state(known, draft)]) {
        this.#log.append(entry);
      }
    }
    this.#recordBase(known, draft);
    if (this.#log.size > this.#limit) {
      this.#compact();
    }
  }

  /** The base's bytes come last: they are on disk, so that nothing is lost until they change there. */
  #recordBase(known: Known, { kept }: Draft): void {
    if (!kept) {
      known.base = undefined;
    } else if (kept !== known.base) {
      this.#try(() => {
        this.#log.append({ kind: "base", file: known.number, bytes: kept });
        known.base = kept;
      });
    }
  }

  #drop(file: FileNode): void {
    const known = this.#known.get(file);
    const wasWhole = this.isWhole;
    this.#known.delete(file);
    this.#missed.delete(file);
    if (known && this.isEmpty) {
      this.#try(() => this.#log.clear());
      this.#limit = this.#slack;
    } else if (known) {
      // When this fails, the file will be found as it is on disk already.
      this.#try(() => this.#log.append({ kind: "none", file: known.number }));
    }
    if (this.isWhole !== wasWhole) {
      this.#changed();
    }
  }

  #miss(file: FileNode, error: unknown): void {
    if (!this.#warned) {
      this.#warned = true;
      console.warn("mountfs: unsynced work is lost if this tab closes: the journal cannot be written", error);
    }
    const wasWhole = this.isWhole;
    this.#missed.add(file);
    if (wasWhole) {
      this.#changed();
    }
  }

  /** Leaves out what is of no use any more, if that is most of it. */
  #compact(): void {
    const files = [...this.#known].map(([{ draft }, known]) => ({ known, draft: draft! }));
    const used = files.reduce((sum, { known, draft }) => sum + draft.extents.bytes + (known.base?.length ?? 0), 0);
    this.#limit = 2 * used + this.#slack;
    if (this.#log.size > this.#limit) {
      this.#try(() => this.#log.rewrite(files.flatMap(({ known, draft }) => [...entriesOf(known, draft)])));
    }
    this.#limit = Math.max(this.#limit, this.#log.size + this.#slack);
  }

  #try(work: () => void): void {
    try {
      work();
    } catch {
      // What is in the journal is as good as it was.
    }
  }
}

/** All that the journal needs to know of a draft. Its bytes come first: a draft without them would be zeros. */
function* entriesOf(known: Known, draft: Draft): Generator<LogEntry> {
  for (const piece of draft.extents.pieces()) {
    yield { kind: "bytes", file: known.number, ...piece };
  }
  yield state(known, draft);
  if (known.base) {
    yield { kind: "base", file: known.number, bytes: known.base };
  }
  if (known.removing) {
    yield { kind: "removing", file: known.number, begun: true };
  }
}

function state({ number, path }: Known, { size, visible, since }: Draft): LogEntry & { kind: "draft" } {
  return { kind: "draft", file: number, path, size, visible, since };
}

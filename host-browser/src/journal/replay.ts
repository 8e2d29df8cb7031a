// What is in a journal: the drafts as they were when its tab died.
import { Draft } from "../files/draft.js";
import { entriesOf } from "./log.js";

/** A file that was not pushed. */
export interface Unsaved {
  /** Relative to the folder that the journal is of. */
  path: string;
  draft: Draft;
  /** The guest was removing it: if the disk does not have it, it did. */
  removing: boolean;
}

/** All of them. */
export async function replay(files: Blob[]): Promise<Unsaved[]> {
  const drafts = new Map<number, Draft>();
  const unsaved = new Map<number, Unsaved>();
  for await (const entry of entriesOf(files)) {
    const draft = drafts.get(entry.file) ?? new Draft(undefined);
    drafts.set(entry.file, draft);
    switch (entry.kind) {
      case "draft":
        draft.resize(entry.size);
        [draft.visible, draft.since] = [entry.visible, entry.since];
        unsaved.set(entry.file, { path: entry.path, draft, removing: unsaved.get(entry.file)?.removing === true });
        if (entry.replaces !== undefined) {
          drafts.delete(entry.replaces);
          unsaved.delete(entry.replaces);
        }
        break;
      case "bytes":
        draft.write(entry.start, entry.bytes);
        break;
      case "base":
        draft.kept = entry.bytes.slice();
        break;
      case "removing": {
        const one = unsaved.get(entry.file);
        if (one) {
          one.removing = entry.begun;
        }
        break;
      }
      case "none":
        drafts.delete(entry.file);
        unsaved.delete(entry.file);
    }
  }
  return [...unsaved.values()];
}

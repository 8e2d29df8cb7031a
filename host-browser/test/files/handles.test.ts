import { expect, test } from "vitest";
import { DirectoryNode, FileNode } from "../../src/files/node.js";
import { Volume } from "../../src/files/volume.js";

test("of very many handles the oldest are let go of, whatever a guest walks through", () => {
  const volume = new Volume({} as FileSystemDirectoryHandle, { now: Date.now, parallel: 1 });
  const handle = {} as FileSystemFileHandle;
  const nodes = Array.from({ length: 20_000 }, (_, name) => new FileNode(volume.root, String(name)));
  for (const node of nodes) {
    node.handle = handle;
    volume.hasHandle(node);
    // One that is looked up again and again is not old.
    volume.hasHandle(nodes[0]!);
  }
  const kept = nodes.filter((node) => node.handle);
  expect(kept).toHaveLength(16_384);
  expect([kept[0], kept[1]?.name, kept.at(-1)]).toEqual([nodes[0], String(20_000 - 16_383), nodes.at(-1)]);
  // The folder itself cannot be looked up again.
  expect(volume.root).toBeInstanceOf(DirectoryNode);
  expect(volume.root.handle).toBeDefined();
});

// `wasi:filesystem` on the directory handles of a browser.
//
// What happens when:
// - Names are on disk at once. Making, removing and renaming files and directories is done when the guest asks, so that
//   what cannot be done fails there; a new file is empty on disk until its first push. A file that is new, unpushed,
//   and renamed takes what was written to it along in memory.
// - Contents are in memory until they are pushed: by a sync of the tree, by `sync` of a descriptor, a second after the
//   last close, or when there is too much of them. A push swaps a whole file in, so a file on disk is always an old
//   version or a new one.
// - A file is looked at afresh each time it is opened. Attributes are believed for a second, and for five where a
//   listing fetched them; a look-up that changes something believes nothing.
//
// Nothing but WIT error codes comes out, through `OpenTree.call`, and nothing but `Disk` looks at a folder or changes it.
export { Descriptor, DirectoryEntryStream, type OpenFlags } from "./descriptor.js";
export { InUse } from "./in-use.js";
export { abandonPollables, filesystemErrorCode, InputStream, IoError, OutputStream, Pollable } from "./streams.js";
export { openTree, type TreeOptions } from "./tree.js";

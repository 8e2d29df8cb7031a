//! A guest's view of its files, and the folders of the host behind it.

use crate::bindings::FileSystem;
use crate::bindings::exports::wasi::filesystem::types::{DirectoryEntry, MetadataHashValue};
use crate::{Advice, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags};
use mountfs_host::{
    Access, Control, MountError, MountInfo, MountOptions, MountfsCtx, MountfsCtxBuilder, MountfsCtxView, MountfsView,
    Mounts, SyncReport,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use wasmtime::component::{Component, Linker, Resource, ResourceAny, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamError};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// The project's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the suites are in a folder of the project").to_owned()
}

/// An interpreter that `cargo xtask build` put into `target/guests/`.
pub fn guest(name: &str) -> PathBuf {
    let path = root().join("target/guests").join(name).with_added_extension("wasm");
    assert!(path.exists(), "{} is missing: `cargo xtask build` makes it", path.display());
    path
}

/// The component, compiled. The first time it starts the compiler's threads, and these never end.
pub(crate) static COMPONENT: LazyLock<(Engine, Component)> = LazyLock::new(|| {
    let engine = Engine::default();
    let component = Component::new(&engine, mountfs_host::COMPONENT).expect("the component compiles");
    (engine, component)
});

/// Does something on this thread, with a runtime that ends with it.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

/// A folder of the host, with a secret beside it that no guest may reach.
pub struct Folder {
    outer: tempfile::TempDir,
}

impl Folder {
    /// An empty folder.
    #[expect(clippy::new_without_default, reason = "it makes something on disk")]
    pub fn new() -> Self {
        let outer = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(outer.path().join("inside")).expect("a folder in it");
        fs::write(outer.path().join("secret"), "the secret").expect("a secret beside it");
        Self { outer }
    }

    /// A folder with these files.
    pub fn with<const N: usize>(files: [(&str, &str); N]) -> Self {
        let folder = Self::new();
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// The folder.
    pub fn path(&self) -> PathBuf {
        self.outer.path().join("inside")
    }

    /// What is on disk at a path in it.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Writes as another program would.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("its folder");
        fs::write(path, text).expect("a file");
    }

    /// Whether there is anything at a path.
    pub fn has(&self, path: &str) -> bool {
        self.path().join(path).symlink_metadata().is_ok()
    }

    /// All that is in it, and all that is beside it: bytes, links, and when each was modified.
    pub fn everything(&self) -> Vec<String> {
        let mut found = self.beside();
        look(&self.path(), &mut found);
        found
    }

    /// What is beside it, and must stay as it is.
    pub fn beside(&self) -> Vec<String> {
        let mut found = Vec::new();
        for path in inside(self.outer.path()).into_iter().filter(|path| *path != self.path()) {
            look(&path, &mut found);
        }
        found
    }

    /// All that is in it: texts by path, where links lead, and empty directories with a slash.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        let mut ahead = vec![(self.path(), String::new())];
        while let Some((folder, prefix)) = ahead.pop() {
            let mut is_empty = true;
            for entry in fs::read_dir(folder).expect("a listing") {
                is_empty = false;
                let entry = entry.expect("an entry");
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                let kind = entry.file_type().expect("its type");
                if kind.is_dir() {
                    ahead.push((entry.path(), format!("{path}/")));
                } else if kind.is_symlink() {
                    let target = fs::read_link(entry.path()).expect("a link");
                    tree.insert(path, format!("-> {}", target.display()));
                } else {
                    let bytes = fs::read(entry.path()).expect("a file");
                    tree.insert(path, String::from_utf8_lossy(&bytes).into_owned());
                }
            }
            if is_empty && !prefix.is_empty() {
                tree.insert(prefix, String::new());
            }
        }
        tree
    }

    /// The names in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("a listing");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// What is at a path and below: a line each.
fn look(path: &Path, found: &mut Vec<String>) {
    let meta = path.symlink_metadata().expect("it is there");
    let (kind, modified) = (meta.file_type(), meta.modified().expect("a time"));
    let content = match () {
        () if kind.is_file() => fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        () if kind.is_symlink() => fs::read_link(path).map(|target| target.display().to_string()),
        () => Ok(String::new()),
    };
    found.push(format!("{} {modified:?} {content:?}", path.display()));
    if kind.is_dir() {
        inside(path).iter().for_each(|path| look(path, found));
    }
}

fn inside(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).expect("a listing").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What a store of the suites holds.
pub struct Guest {
    wasi: WasiCtx,
    mountfs: MountfsCtx,
    table: ResourceTable,
    /// Bytes of linear memory.
    pub memory: usize,
}

impl Guest {
    pub(crate) fn new(wasi: WasiCtx, mountfs: MountfsCtx) -> Self {
        Self { wasi, mountfs, table: ResourceTable::new(), memory: 0 }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory += desired - current;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl MountfsView for Guest {
    fn mountfs(&mut self) -> MountfsCtxView<'_> {
        MountfsCtxView { ctx: &mut self.mountfs, wasi: &mut self.wasi, table: &mut self.table }
    }
}

/// A descriptor of the guest.
pub type Descriptor = ResourceAny;

type Answer<T> = Result<T, ErrorCode>;

/// An instance of the component.
pub struct Fixture {
    /// The instance's store.
    pub store: Store<Guest>,
    /// From outside, while it runs.
    pub control: Control,
    mounts: Mounts,
    files: FileSystem,
}

/// Calls a method of `descriptor`; a trap fails the test.
macro_rules! call {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        $self.files.wasi_filesystem_types().descriptor().$method(&mut $self.store, $($argument),*).await.expect("no trap")
    };
}

impl Fixture {
    /// An instance with these grants.
    pub async fn new(grants: impl FnOnce(&mut MountfsCtxBuilder)) -> Self {
        Self::with_preopens(&[], grants).await
    }

    /// An instance with these grants, on a host with these preopens.
    pub async fn with_preopens(preopens: &[(&Folder, &str)], grants: impl FnOnce(&mut MountfsCtxBuilder)) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        for (folder, name) in preopens {
            wasi.preopened_dir(folder.path(), name, FsPerms::ReadWrite).expect("a preopen");
        }
        let mut mountfs = MountfsCtx::builder();
        grants(&mut mountfs);
        let guest = Guest::new(wasi.build(), mountfs.build());
        let (engine, component) = &*COMPONENT;
        let mut linker = Linker::new(engine);
        mountfs_host::add_to_linker(&mut linker).expect("all interfaces are new");
        let control = guest.mountfs.control();
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| guest);
        let instance = linker.instantiate_async(&mut store, component).await.expect("every import is there");
        let mounts = Mounts::new(&mut store, &instance).expect("it exports mounts");
        let files = FileSystem::new(&mut store, &instance).expect("it exports a file system");
        Self { store, control, mounts, files }
    }

    /// An instance that may mount this folder anywhere, with the default id.
    pub async fn granted(folder: &Folder, access: Access) -> Self {
        Self::new(|grants| {
            grants.grant_id("mountfs", folder.path(), access).expect("a folder");
        })
        .await
    }

    /// A folder, mounted at `/local` with the default options.
    pub async fn mounted(folder: &Folder) -> Self {
        let mut fixture = Self::granted(folder, Access::ReadWrite).await;
        fixture.mount("/local").await.expect("a mount");
        fixture
    }

    /// Mounts with the default options.
    pub async fn mount(&mut self, path: &str) -> Result<MountInfo, MountError> {
        self.mount_with(path, MountOptions::default()).await
    }

    /// Mounts.
    pub async fn mount_with(&mut self, path: &str, options: MountOptions) -> Result<MountInfo, MountError> {
        self.mounts.mount(&mut self.store, path, &options).await.expect("no trap")
    }

    /// Syncs.
    pub async fn sync(&mut self, path: &str) -> Result<SyncReport, MountError> {
        self.mounts.sync(&mut self.store, path).await.expect("no trap")
    }

    /// Unmounts.
    pub async fn unmount(&mut self, path: &str) -> Result<SyncReport, MountError> {
        self.mounts.unmount(&mut self.store, path).await.expect("no trap")
    }

    /// Revokes.
    pub async fn revoke(&mut self, path: &str, id: &str) -> Result<bool, MountError> {
        self.mounts.revoke(&mut self.store, path, id).await.expect("no trap")
    }

    /// Lists the mounts.
    pub async fn mounts(&mut self) -> Vec<MountInfo> {
        self.mounts.mounted(&mut self.store).await.expect("no trap")
    }

    /// The preopens a libc sees when it starts.
    pub async fn preopens(&mut self) -> Vec<(Descriptor, String)> {
        self.files.wasi_filesystem_preopens().call_get_directories(&mut self.store).await.expect("no trap")
    }

    /// The guest's root directory.
    pub async fn root(&mut self) -> Descriptor {
        let (root, name) = self.preopens().await.into_iter().next().expect("a root");
        assert_eq!(name, "/");
        root
    }

    /// `open-at`, links followed.
    pub async fn open_at(
        &mut self,
        base: Descriptor,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Descriptor> {
        call!(self.call_open_at(base, PathFlags::SYMLINK_FOLLOW, path, open, flags))
    }

    /// Opens by a path from the root, as libc's `open` does.
    pub async fn open(&mut self, path: &str, open: OpenFlags, flags: DescriptorFlags) -> Answer<Descriptor> {
        let root = self.root().await;
        self.open_at(root, path.trim_start_matches('/'), open, flags).await
    }

    /// Opens a directory by a path from the root.
    pub async fn directory(&mut self, path: &str) -> Descriptor {
        let path = if path == "/" { "." } else { path };
        let opened = self.open(path, OpenFlags::DIRECTORY, DescriptorFlags::READ).await;
        opened.unwrap_or_else(|code| panic!("{path}: {code:?}"))
    }

    /// Opens a file for reading.
    pub async fn reading(&mut self, path: &str) -> Answer<Descriptor> {
        self.open(path, OpenFlags::empty(), DescriptorFlags::READ).await
    }

    /// Opens a file for writing; made when it is not there, emptied when it is.
    pub async fn writing(&mut self, path: &str) -> Answer<Descriptor> {
        self.open(path, OpenFlags::CREATE | OpenFlags::TRUNCATE, DescriptorFlags::WRITE).await
    }

    /// The whole of a file.
    pub async fn read(&mut self, path: &str) -> Answer<String> {
        let file = self.reading(path).await?;
        let (bytes, _) = self.pread(file, 1 << 20, 0).await?;
        self.drop(file).await;
        Ok(String::from_utf8(bytes).expect("text"))
    }

    /// A whole file.
    pub async fn write(&mut self, path: &str, text: &str) -> Answer<()> {
        let file = self.writing(path).await?;
        let written = self.pwrite(file, text.as_bytes(), 0).await;
        self.drop(file).await;
        assert_eq!(written?, text.len() as u64);
        Ok(())
    }

    /// The names in a directory, sorted.
    pub async fn list(&mut self, path: &str) -> Answer<Vec<String>> {
        let directory = self.directory(path).await;
        let mut names: Vec<_> = self.entries(directory).await?.into_iter().map(|entry| entry.name).collect();
        self.drop(directory).await;
        names.sort();
        Ok(names)
    }

    /// The entries of a directory.
    pub async fn entries(&mut self, directory: Descriptor) -> Answer<Vec<DirectoryEntry>> {
        let stream = self.read_directory(directory).await?;
        let mut entries = Vec::new();
        while let Some(entry) = self.next_entry(stream).await? {
            entries.push(entry);
        }
        stream.resource_drop_async(&mut self.store).await.expect("no trap");
        Ok(entries)
    }

    /// `read-directory`.
    pub async fn read_directory(&mut self, directory: Descriptor) -> Answer<ResourceAny> {
        call!(self.call_read_directory(directory))
    }

    /// `read-directory-entry`.
    pub async fn next_entry(&mut self, stream: ResourceAny) -> Answer<Option<DirectoryEntry>> {
        let streams = self.files.wasi_filesystem_types().directory_entry_stream();
        streams.call_read_directory_entry(&mut self.store, stream).await.expect("no trap")
    }

    /// `read`.
    pub async fn pread(&mut self, file: Descriptor, length: u64, offset: u64) -> Answer<(Vec<u8>, bool)> {
        call!(self.call_read(file, length, offset))
    }

    /// `write`.
    pub async fn pwrite(&mut self, file: Descriptor, bytes: &[u8], offset: u64) -> Answer<u64> {
        call!(self.call_write(file, bytes, offset))
    }

    /// `read-via-stream`.
    pub async fn input(&mut self, file: Descriptor, offset: u64) -> Answer<Resource<DynInputStream>> {
        call!(self.call_read_via_stream(file, offset))
    }

    /// `write-via-stream`.
    pub async fn output(&mut self, file: Descriptor, offset: u64) -> Answer<Resource<DynOutputStream>> {
        call!(self.call_write_via_stream(file, offset))
    }

    /// `append-via-stream`.
    pub async fn append(&mut self, file: Descriptor) -> Answer<Resource<DynOutputStream>> {
        call!(self.call_append_via_stream(file))
    }

    /// Drops an input stream.
    pub fn drop_input(&mut self, stream: Resource<DynInputStream>) {
        self.store.data_mut().table.delete(stream).expect("the stream is open");
    }

    /// Reads from a stream, as a guest does.
    pub async fn read_stream(
        &mut self,
        stream: &Resource<DynInputStream>,
        length: usize,
    ) -> Result<String, StreamError> {
        let stream = self.store.data_mut().table.get_mut(stream).expect("the stream is open");
        Ok(String::from_utf8(stream.blocking_read(length).await?.to_vec()).expect("text"))
    }

    /// Writes to a stream, as a guest does.
    pub async fn write_stream(&mut self, stream: &Resource<DynOutputStream>, text: &str) -> Result<(), StreamError> {
        let stream = self.store.data_mut().table.get_mut(stream).expect("the stream is open");
        stream.blocking_write_and_flush(text.to_owned().into()).await
    }

    /// Writes to a stream without waiting for it.
    pub fn start_write(&mut self, stream: &Resource<DynOutputStream>, text: &str) -> Result<(), StreamError> {
        let stream = self.store.data_mut().table.get_mut(stream).expect("the stream is open");
        stream.check_write()?;
        stream.write(text.to_owned().into())
    }

    /// Drops a stream, as a guest does.
    pub async fn drop_stream(&mut self, stream: Resource<DynOutputStream>) {
        self.store.data_mut().table.delete(stream).expect("the stream is open").cancel().await;
    }

    /// What `filesystem-error-code` makes of a stream's error.
    pub async fn error_code(&mut self, error: wasmtime::Error) -> Option<ErrorCode> {
        let error = self.store.data_mut().table.push(error).expect("room in the table");
        self.files.wasi_filesystem_types().call_filesystem_error_code(&mut self.store, error).await.expect("no trap")
    }

    /// `advise`.
    pub async fn advise(&mut self, file: Descriptor, advice: Advice) -> Answer<()> {
        call!(self.call_advise(file, 0, 10, advice))
    }

    /// `sync-data`.
    pub async fn sync_data(&mut self, file: Descriptor) -> Answer<()> {
        call!(self.call_sync_data(file))
    }

    /// `sync`.
    pub async fn fsync(&mut self, file: Descriptor) -> Answer<()> {
        call!(self.call_sync(file))
    }

    /// `get-flags`.
    pub async fn flags(&mut self, file: Descriptor) -> Answer<DescriptorFlags> {
        call!(self.call_get_flags(file))
    }

    /// `get-type`.
    pub async fn kind(&mut self, file: Descriptor) -> Answer<DescriptorType> {
        call!(self.call_get_type(file))
    }

    /// `set-size`.
    pub async fn set_size(&mut self, file: Descriptor, size: u64) -> Answer<()> {
        call!(self.call_set_size(file, size))
    }

    /// `set-times`.
    pub async fn set_times(&mut self, file: Descriptor, accessed: NewTimestamp, modified: NewTimestamp) -> Answer<()> {
        call!(self.call_set_times(file, accessed, modified))
    }

    /// `set-times-at`, links followed.
    pub async fn set_times_at(
        &mut self,
        base: Descriptor,
        path: &str,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Answer<()> {
        call!(self.call_set_times_at(base, PathFlags::SYMLINK_FOLLOW, path, accessed, modified))
    }

    /// `stat`.
    pub async fn fstat(&mut self, file: Descriptor) -> Answer<DescriptorStat> {
        call!(self.call_stat(file))
    }

    /// `stat-at`.
    pub async fn stat_at(&mut self, base: Descriptor, flags: PathFlags, path: &str) -> Answer<DescriptorStat> {
        call!(self.call_stat_at(base, flags, path))
    }

    /// `stat-at` from the root, links followed.
    pub async fn stat(&mut self, path: &str) -> Answer<DescriptorStat> {
        let root = self.root().await;
        self.stat_at(root, PathFlags::SYMLINK_FOLLOW, path.trim_start_matches('/')).await
    }

    /// `create-directory-at` from the root.
    pub async fn mkdir(&mut self, path: &str) -> Answer<()> {
        let root = self.root().await;
        call!(self.call_create_directory_at(root, path.trim_start_matches('/')))
    }

    /// `remove-directory-at` from the root.
    pub async fn rmdir(&mut self, path: &str) -> Answer<()> {
        let root = self.root().await;
        call!(self.call_remove_directory_at(root, path.trim_start_matches('/')))
    }

    /// `unlink-file-at` from the root.
    pub async fn unlink(&mut self, path: &str) -> Answer<()> {
        let root = self.root().await;
        call!(self.call_unlink_file_at(root, path.trim_start_matches('/')))
    }

    /// `rename-at` from the root.
    pub async fn rename(&mut self, old: &str, new: &str) -> Answer<()> {
        let root = self.root().await;
        call!(self.call_rename_at(root, old.trim_start_matches('/'), root, new.trim_start_matches('/')))
    }

    /// `link-at` from the root.
    pub async fn link(&mut self, flags: PathFlags, old: &str, new: &str) -> Answer<()> {
        let root = self.root().await;
        call!(self.call_link_at(root, flags, old.trim_start_matches('/'), root, new.trim_start_matches('/')))
    }

    /// `symlink-at` from the root.
    pub async fn symlink(&mut self, target: &str, path: &str) -> Answer<()> {
        let root = self.root().await;
        call!(self.call_symlink_at(root, target, path.trim_start_matches('/')))
    }

    /// `readlink-at` from the root.
    pub async fn readlink(&mut self, path: &str) -> Answer<String> {
        let root = self.root().await;
        call!(self.call_readlink_at(root, path.trim_start_matches('/')))
    }

    /// `is-same-object`.
    pub async fn same(&mut self, one: Descriptor, other: Descriptor) -> bool {
        call!(self.call_is_same_object(one, other))
    }

    /// `metadata-hash`.
    pub async fn hash(&mut self, file: Descriptor) -> Answer<(u64, u64)> {
        call!(self.call_metadata_hash(file)).map(|MetadataHashValue { lower, upper }| (lower, upper))
    }

    /// `metadata-hash-at` from the root, links followed.
    pub async fn hash_at(&mut self, path: &str) -> Answer<(u64, u64)> {
        let root = self.root().await;
        let hash = call!(self.call_metadata_hash_at(root, PathFlags::SYMLINK_FOLLOW, path.trim_start_matches('/')));
        hash.map(|MetadataHashValue { lower, upper }| (lower, upper))
    }

    /// Closes a descriptor.
    pub async fn drop(&mut self, descriptor: Descriptor) {
        descriptor.resource_drop_async(&mut self.store).await.expect("no trap");
    }
}

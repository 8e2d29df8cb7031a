//! `wasi:filesystem`, by wasmtime-wasi, for a guest whose descriptors may come from grants: each call is refused once
//! the grant has ended, and each change is noted for the next sync.

use crate::dirty::Written;
use crate::grant::{Grant, Refused};
use crate::limits::LONGEST_PATH;
use crate::listing::{self, Listing};
use crate::origins::{Origin, Writer};
use crate::stream::{GrantedInput, GrantedOutput};
use crate::view::MountfsCtxView;
use cap_std::fs::Dir as CapDir;
use std::collections::VecDeque;
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, OpenMode, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode, Filesize,
    Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::pipe::{ClosedInputStream, SinkOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::runtime::spawn_blocking;

impl From<Refused> for ErrorCode {
    fn from(refused: Refused) -> Self {
        match refused {
            // The device is gone, as the guest sees it.
            Refused::Ended => Self::NoDevice,
            Refused::InDoubt => Self::Io,
        }
    }
}

impl From<Refused> for FsError {
    fn from(refused: Refused) -> Self {
        ErrorCode::from(refused).into()
    }
}

impl preopens::Host for MountfsCtxView<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Resource<Descriptor>, String)>> {
        let directories = preopens::Host::get_directories(&mut self.filesystem())?;
        // Each call opens them anew.
        directories.iter().for_each(|(directory, _)| self.ctx.origins.add(directory, None));
        Ok(directories)
    }
}

impl Host for MountfsCtxView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> Result<Option<ErrorCode>> {
        if let Some(refused) = self.table.get(&error)?.downcast_ref::<Refused>() {
            return Ok(Some((*refused).into()));
        }
        self.filesystem().filesystem_error_code(error)
    }
}

impl MountfsCtxView<'_> {
    /// Where a descriptor came from, unless that grant may not be used.
    fn origin(&self, descriptor: &Resource<Descriptor>) -> FsResult<Option<&Origin>> {
        let origin = self.ctx.origins.of(descriptor);
        if let Some(origin) = origin {
            origin.grant.check()?;
        }
        Ok(origin)
    }

    fn check(&self, descriptor: &Resource<Descriptor>) -> FsResult<()> {
        self.origin(descriptor).map(drop)
    }

    /// The same for a call that takes a path.
    fn check_at(&self, descriptor: &Resource<Descriptor>, path: &str) -> FsResult<()> {
        check_length(path)?;
        self.check(descriptor)
    }

    /// Makes a call that blocks, here if that is allowed.
    fn blocking<R, F>(&self, call: F) -> impl Future<Output = R> + Send + use<R, F>
    where
        R: Send + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        let here = self.ctx.allow_blocking_current_thread;
        async move { if here { call() } else { spawn_blocking(call).await } }
    }

    /// Whether the guest may open one more.
    fn check_room(&self) -> FsResult<()> {
        if self.has_room() { Ok(()) } else { Err(ErrorCode::InsufficientMemory.into()) }
    }

    /// What is noted when a file of a grant is written.
    fn written(&self, descriptor: &Resource<Descriptor>) -> FsResult<Option<(Arc<Grant>, Arc<Written>)>> {
        let origin = self.origin(descriptor)?;
        Ok(origin.and_then(|origin| Some((origin.grant.clone(), origin.written.clone()?))))
    }

    /// The same before a change: the file is dirty from now on.
    fn will_write(&self, descriptor: &Resource<Descriptor>) -> FsResult<Option<(Arc<Grant>, Arc<Written>)>> {
        let noted = self.written(descriptor)?;
        if let Some((grant, written)) = &noted {
            grant.dirty.touch(written);
        }
        Ok(noted)
    }

    /// The same before an fsync: what was written before has reached the system, or is told to have failed.
    async fn landed(&mut self, descriptor: &Resource<Descriptor>) -> FsResult<Option<(Arc<Grant>, Arc<Written>)>> {
        let noted = self.written(descriptor)?;
        if let Some((grant, written)) = &noted {
            let was_lost = written.is_lost();
            self.land(grant, Some(written)).await;
            if written.is_lost() && !was_lost {
                return Err(ErrorCode::Io.into());
            }
        }
        Ok(noted)
    }

    /// Whether two descriptors came from one grant, or neither from any, unless one may not be used.
    fn is_one_grant(&self, a: &Resource<Descriptor>, b: &Resource<Descriptor>) -> FsResult<bool> {
        fn grant(origin: Option<&Origin>) -> Option<*const Grant> {
            origin.map(|origin| Arc::as_ptr(&origin.grant))
        }
        let is_one = grant(self.origin(a)?) == grant(self.ctx.origins.of(b));
        if !is_one {
            self.check(b)?;
        }
        Ok(is_one)
    }

    /// wasmtime-wasi answers `bad-descriptor`, which is true of no directory (POSIX `read`: EISDIR).
    fn check_is_file(&self, descriptor: &Resource<Descriptor>) -> FsResult<()> {
        match self.table.get(descriptor)? {
            Descriptor::Dir(_) => Err(ErrorCode::IsDirectory.into()),
            Descriptor::File(_) => Ok(()),
        }
    }

    /// wasmtime-wasi gives a file opened for reading a stream to write it, which then fails: here it is refused at once.
    fn check_opened_to_write(&self, descriptor: &Resource<Descriptor>) -> FsResult<()> {
        match self.table.get(descriptor)? {
            Descriptor::Dir(_) => Err(ErrorCode::IsDirectory.into()),
            Descriptor::File(file) if !file.open_mode.contains(OpenMode::WRITE) => Err(ErrorCode::BadDescriptor.into()),
            Descriptor::File(_) => Ok(()),
        }
    }

    /// Makes room when too much is held open until it is synced.
    async fn relieve(&mut self, descriptor: &Resource<Descriptor>) {
        if self.ctx.origins.of(descriptor).is_some_and(|origin| origin.grant.dirty.is_full()) {
            // What all of them hold counts together, so any may be the one to let go.
            for grant in self.ctx.control.live() {
                spawn_blocking(move || grant.relieve()).await;
            }
        }
    }

    /// Notes that the directory that has `path`'s last name changed.
    fn names_changed(&self, base: &Resource<Descriptor>, path: &str) -> FsResult<()> {
        let (Some(origin), Descriptor::Dir(directory)) = (self.ctx.origins.of(base), self.table.get(base)?) else {
            return Ok(());
        };
        let parent = parent(path);
        let itself = (parent == ".").then_some(&*directory.dir);
        origin.grant.dirty.names_changed(&join(&origin.path, parent), itself, || {
            // Opened again, since a descriptor for path look-ups alone cannot be synced.
            Ok(CapDir::from_std_file(directory.dir.try_clone()?).open(parent)?.into_std())
        });
        Ok(())
    }

    /// Where the links at the end of a path lead: a file that was not there was made there.
    fn led_to(&self, base: &Resource<Descriptor>, mut path: String) -> FsResult<String> {
        let Descriptor::Dir(directory) = self.table.get(base)? else { return Ok(path) };
        let directory = CapDir::from_std_file(directory.dir.try_clone()?);
        // As many as Linux follows (`path_resolution(7)`).
        for _ in 0..40 {
            let target = directory.read_link(&path).ok().and_then(|target| target.into_os_string().into_string().ok());
            let Some(target) = target else { break };
            path = format!("{}/{target}", parent(&path));
        }
        Ok(path)
    }

    fn name_removed(&self, base: &Resource<Descriptor>, path: &str) -> FsResult<()> {
        self.names_changed(base, path)?;
        if let Some(origin) = self.ctx.origins.of(base) {
            origin.grant.dirty.name_removed();
        }
        Ok(())
    }

    /// Notes a rename, so that reports name what was moved by where it is.
    fn renamed(&mut self, old: (&Resource<Descriptor>, &str), new: (&Resource<Descriptor>, &str)) {
        let of =
            |(base, path)| self.ctx.origins.of(base).map(|origin| (origin.grant.clone(), join(&origin.path, path)));
        if let (Some((grant, from)), Some((_, to))) = (of(old), of(new)) {
            grant.dirty.renamed(&from, &to);
            self.ctx.origins.renamed(&grant, &from, &to);
        }
    }

    /// A stream that ends with its grant.
    fn output(
        &mut self,
        stream: Resource<DynOutputStream>,
        noted: Option<(Arc<Grant>, Arc<Written>)>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let Some((grant, written)) = noted else {
            return Ok(stream);
        };
        let (writer, counted) = (Writer::new(grant, written, &stream), self.ctx.origins.count());
        self.ctx.origins.add_writer(&writer);
        let place = self.table.get_mut(&stream)?;
        let inner = std::mem::replace(place, Box::new(SinkOutputStream));
        *place = Box::new(GrantedOutput { stream: inner, writer, on_its_way: false, error: None, _counted: counted });
        Ok(stream)
    }
}

impl HostDescriptor for MountfsCtxView<'_> {
    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let grant = self.origin(&fd)?.map(|origin| origin.grant.clone());
        self.check_room()?;
        let stream = self.filesystem().read_via_stream(fd, offset)?;
        let Some(grant) = grant else {
            return Ok(stream);
        };
        let counted = self.ctx.origins.count();
        // In the place it has: taking it out and putting another one in would be a tenth of a small read.
        let place = self.table.get_mut(&stream)?;
        let inner = std::mem::replace(place, Box::new(ClosedInputStream));
        *place = Box::new(GrantedInput { stream: inner, grant, _counted: counted });
        Ok(stream)
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let noted = self.written(&fd)?;
        self.check_opened_to_write(&fd)?;
        self.check_room()?;
        let stream = self.filesystem().write_via_stream(fd, offset)?;
        self.output(stream, noted)
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let noted = self.written(&fd)?;
        self.check_opened_to_write(&fd)?;
        self.check_room()?;
        let stream = self.filesystem().append_via_stream(fd)?;
        self.output(stream, noted)
    }

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.check(&fd)?;
        self.filesystem().advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        let noted = self.landed(&fd).await?;
        failed(noted, self.filesystem().sync_data(fd).await)
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.check(&fd)?;
        self.filesystem().get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.check(&fd)?;
        self.filesystem().get_type(fd).await
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        let noted = self.written(&fd)?;
        self.check_is_file(&fd)?;
        if i64::try_from(size).is_err() {
            // The system says `invalid` (POSIX `ftruncate` allows both), this is the code that tells why.
            return Err(ErrorCode::FileTooLarge.into());
        }
        if let Some((grant, written)) = &noted {
            grant.dirty.touch(written);
        }
        self.filesystem().set_size(fd, size).await?;
        if let Some((grant, written)) = noted {
            if size == 0 {
                written.emptied();
            }
            grant.dirty.wrote(&written, 0);
        }
        Ok(())
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.will_write(&fd)?;
        self.filesystem().set_times(fd, accessed, modified).await
    }

    async fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.check(&fd)?;
        self.check_is_file(&fd)?;
        self.filesystem().read(fd, length, offset).await
    }

    async fn write(&mut self, fd: Resource<Descriptor>, buffer: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let noted = self.will_write(&fd)?;
        self.check_is_file(&fd)?;
        let count = self.filesystem().write(fd, buffer, offset).await?;
        if let Some((grant, written)) = noted {
            grant.dirty.wrote(&written, count);
        }
        Ok(count)
    }

    async fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        let grant = self.origin(&fd)?.map(|origin| origin.grant.clone());
        self.check_room()?;
        let Descriptor::Dir(directory) = self.table.get(&fd)? else {
            return Err(ErrorCode::NotDirectory.into());
        };
        let directory = directory.dir.clone();
        let rest = self.blocking(move || CapDir::from_std_file(directory.try_clone()?).entries()).await?;
        let counted = self.ctx.origins.count();
        let listing = Listing { grant, next: VecDeque::new(), rest: Some(rest), _counted: counted };
        Ok(Listing::as_stream(&self.table.push(listing)?))
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        let noted = self.landed(&fd).await?;
        failed(noted, self.filesystem().sync(fd).await)
    }

    async fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let base = self.checked(fd, &path).await?;
        self.filesystem().create_directory_at(again(&base), path.clone()).await?;
        self.names_changed(&base, &path)
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.check(&fd)?;
        self.filesystem().stat(fd).await
    }

    async fn stat_at(&mut self, fd: Resource<Descriptor>, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        self.check_at(&fd, &path)?;
        self.filesystem().stat_at(fd, flags, path).await
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.check_at(&fd, &path)?;
        self.filesystem().set_times_at(fd, flags, path, accessed, modified).await
    }

    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_flags: PathFlags,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (old, new) = self.same_grant((fd, &old_path), (new_fd, &new_path)).await?;
        self.filesystem().link_at(old, old_flags, old_path, again(&new), new_path.clone()).await?;
        self.names_changed(&new, &new_path)
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let base = self.checked(fd, &path).await?;
        self.check_room()?;
        let opened = self.filesystem().open_at(again(&base), path_flags, path.clone(), open_flags, flags).await?;
        let origin = self.ctx.origins.of(&base).map(|origin| (origin.grant.clone(), join(&origin.path, &path)));
        let Some((grant, inner)) = origin else {
            self.ctx.origins.add(&opened, None);
            return Ok(opened);
        };
        let written = match self.table.get(&opened)? {
            Descriptor::File(file) => Some(Written::new(file.file.clone(), inner.clone())),
            Descriptor::Dir(_) => None,
        };
        if let Some(written) = &written
            && open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
        {
            if open_flags.contains(OpenFlags::TRUNCATE) {
                written.emptied();
            }
            grant.dirty.touch(written);
        }
        self.ctx.origins.add(&opened, Some(Origin { grant, path: inner, written }));
        if open_flags.contains(OpenFlags::CREATE) {
            let path = if path_flags.contains(PathFlags::SYMLINK_FOLLOW) { self.led_to(&base, path)? } else { path };
            self.names_changed(&base, &path)?;
        }
        Ok(opened)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> Result<()> {
        self.ctx.origins.forget(&fd);
        HostDescriptor::drop(&mut self.filesystem(), fd)
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.check_at(&fd, &path)?;
        self.filesystem().readlink_at(fd, path).await
    }

    async fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let base = self.checked(fd, &path).await?;
        // cap-std takes `d/` for `d/.`, which no system removes.
        let name = path.trim_end_matches('/');
        let path = if name.is_empty() { path } else { name.to_owned() };
        self.filesystem().remove_directory_at(again(&base), path.clone()).await?;
        self.name_removed(&base, &path)
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (old, new) = self.same_grant((fd, &old_path), (new_fd, &new_path)).await?;
        self.filesystem().rename_at(again(&old), old_path.clone(), again(&new), new_path.clone()).await?;
        self.renamed((&old, &old_path), (&new, &new_path));
        self.names_changed(&old, &old_path)?;
        let is_one_directory = old.rep() == new.rep() && parent(&old_path) == parent(&new_path);
        if is_one_directory { Ok(()) } else { self.names_changed(&new, &new_path) }
    }

    async fn symlink_at(&mut self, fd: Resource<Descriptor>, old_path: String, new_path: String) -> FsResult<()> {
        check_length(&old_path)?;
        let base = self.checked(fd, &new_path).await?;
        self.filesystem().symlink_at(again(&base), old_path, new_path.clone()).await?;
        self.names_changed(&base, &new_path)
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let base = self.checked(fd, &path).await?;
        self.filesystem().unlink_file_at(again(&base), path.clone()).await?;
        self.name_removed(&base, &path)
    }

    async fn is_same_object(&mut self, a: Resource<Descriptor>, b: Resource<Descriptor>) -> Result<bool> {
        if self.is_one_grant(&a, &b).is_err() {
            return Ok(false);
        }
        self.filesystem().is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.check(&fd)?;
        self.filesystem().metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.check_at(&fd, &path)?;
        self.filesystem().metadata_hash_at(fd, flags, path).await
    }
}

impl HostDirectoryEntryStream for MountfsCtxView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let stream = Listing::of(&stream);
        let listing = self.table.get_mut(&stream)?;
        if let Some(grant) = &listing.grant {
            grant.check()?;
        }
        if listing.next.is_empty()
            && let Some(mut rest) = listing.rest.take()
        {
            let (next, rest) = self.blocking(move || (listing::read(&mut rest), rest)).await;
            let listing = self.table.get_mut(&stream)?;
            listing.rest = (next.len() == listing::BATCH).then_some(rest);
            listing.next = next;
        }
        self.table.get_mut(&stream)?.next.pop_front().transpose()
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> Result<()> {
        self.table.delete(Listing::of(&stream))?;
        Ok(())
    }
}

impl MountfsCtxView<'_> {
    /// A directory that something may be made in, removed from or opened in.
    async fn checked(&mut self, fd: Resource<Descriptor>, path: &str) -> FsResult<Resource<Descriptor>> {
        self.check_at(&fd, path)?;
        self.relieve(&fd).await;
        Ok(fd)
    }

    /// The two ends of a rename or link. Between two grants, or a grant and a preopen, there is none: each is its own
    /// device.
    async fn same_grant(
        &mut self,
        (old, old_path): (Resource<Descriptor>, &str),
        (new, new_path): (Resource<Descriptor>, &str),
    ) -> FsResult<(Resource<Descriptor>, Resource<Descriptor>)> {
        check_length(old_path).and_then(|()| check_length(new_path))?;
        if !self.is_one_grant(&old, &new)? {
            return Err(ErrorCode::CrossDevice.into());
        }
        self.relieve(&new).await;
        Ok((old, new))
    }
}

/// The same descriptor, for a call that takes it while it is still needed.
fn again(descriptor: &Resource<Descriptor>) -> Resource<Descriptor> {
    Resource::new_borrow(descriptor.rep())
}

/// A guest may make a path as long as it likes, and each step along it costs the host.
fn check_length(path: &str) -> FsResult<()> {
    if path.len() > LONGEST_PATH {
        return Err(ErrorCode::NameTooLong.into());
    }
    Ok(())
}

/// The directory that has a path's last name.
fn parent(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or(".", |(parent, _)| parent)
}

/// A path for reports. It grows with each directory that was opened on the way, so it ends where no real path goes on.
fn join(base: &str, path: &str) -> String {
    let mut joined = String::with_capacity(base.len() + 1 + path.len());
    for part in base.split('/').chain(path.split('/')).filter(|part| !matches!(*part, "" | ".")) {
        if !joined.is_empty() {
            joined.push('/');
        }
        joined.push_str(part);
    }
    joined.truncate(joined.floor_char_boundary(LONGEST_PATH));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

/// Remembers that a file could not be made durable. A pipe or device, which has nothing to make durable and says so with
/// EINVAL or ENOTSUP, did not fail.
fn failed(noted: Option<(Arc<Grant>, Arc<Written>)>, result: FsResult<()>) -> FsResult<()> {
    let Err(error) = result else { return Ok(()) };
    let code = error.downcast().map_err(FsError::trap)?;
    if let Some((grant, written)) = noted
        && !matches!(code, ErrorCode::Invalid | ErrorCode::Unsupported)
    {
        written.failed("an fsync of the guest failed".to_owned());
        grant.dirty.touch(&written);
    }
    Err(code.into())
}

//! `mountfs:fs/mounts`: the life of a mount.

use crate::bindings::grants::{self, Access, Key};
use crate::bindings::mounts::{Error, Guest, MountInfo, MountOptions, SyncReport};
use crate::bindings::{Component, host::types::DescriptorType, host::types::PathFlags};
use crate::mount::Mount;
use crate::path::{self, MountPoint};
use crate::state::{self, Claim};
use alloc::borrow::ToOwned as _;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

const DEFAULT_ID: &str = "mountfs";

impl Guest for Component {
    fn mount(path: String, options: MountOptions) -> Result<MountInfo, Error> {
        let point = parse(&path)?;
        let id = options.id.unwrap_or_else(|| DEFAULT_ID.to_owned());
        check_id(&id)?;
        let access = options.access.unwrap_or(Access::ReadWrite);

        let _claim = claim(&point)?;
        if let Some(mount) = state::table().mount(&point) {
            let was_revoked = mount.grant().is_none_or(|grant| matches!(grant.root(), Err(Error::Denied)));
            if was_revoked {
                detach(&point, mount);
            } else if mount.id == id && mount.access == access {
                return Ok(info(mount));
            } else {
                return Err(Error::AlreadyMounted(mount.id.clone()));
            }
        }
        check_in_the_way(&point)?;

        let key = Key { path: path.clone(), id: id.clone() };
        let grant = grants::acquire(&key, access, options.start_in)?;
        let root = grant.root()?;
        let mount = Rc::new(Mount::of_grant(path, id, access, grant, root));
        state::change(|table| table.insert(&point, mount.clone()));
        Ok(info(&mount))
    }

    fn sync(path: String) -> Result<SyncReport, Error> {
        let point = parse(&path)?;
        let mount = attached(&point)?;
        sync(&point, &mount)
    }

    fn unmount(path: String) -> Result<SyncReport, Error> {
        let point = parse(&path)?;
        let _claim = claim(&point)?;
        let mount = attached(&point)?;
        let report = sync(&point, &mount)?;
        detach(&point, &mount);
        Ok(report)
    }

    fn revoke(path: String, id: String) -> Result<bool, Error> {
        let point = parse(&path)?;
        check_id(&id)?;
        let _claim = claim(&point)?;

        let mount = attached(&point).ok().filter(|mount| mount.id == id);
        let synced = mount.as_ref().map(|mount| {
            let synced = sync(&point, mount);
            detach(&point, mount);
            synced
        });
        let revoked = grants::revoke(&Key { path, id });
        match synced {
            None => revoked,
            Some(Ok(_) | Err(Error::NotMounted)) => revoked.map(|_| true),
            // What was not synced weighs more than a host that still keeps the grant.
            Some(Err(error)) => Err(error),
        }
    }

    fn mounted() -> Vec<MountInfo> {
        state::table().mounts().into_iter().map(|mount| info(mount)).collect()
    }
}

fn parse(path: &str) -> Result<MountPoint, Error> {
    MountPoint::parse(path).map_err(|why| Error::InvalidPath(why.to_owned()))
}

fn check_id(id: &str) -> Result<(), Error> {
    path::check_id(id).map_err(|why| Error::InvalidId(why.to_owned()))
}

fn claim(point: &MountPoint) -> Result<Claim, Error> {
    Claim::take(point).ok_or(Error::Busy)
}

fn attached(point: &MountPoint) -> Result<Rc<Mount>, Error> {
    state::table().mount(point).cloned().ok_or(Error::NotMounted)
}

fn sync(point: &MountPoint, mount: &Rc<Mount>) -> Result<SyncReport, Error> {
    let synced = mount.grant().ok_or(Error::NotMounted)?.sync();
    match synced {
        Ok(report) if report.failures.is_empty() => Ok(report),
        Ok(report) => Err(Error::Incomplete(report)),
        // The host revoked it, and here is where that is noticed.
        Err(Error::Denied) => {
            detach(point, mount);
            Err(Error::NotMounted)
        }
        Err(error) => Err(error),
    }
}

/// Takes this mount out of the table; another one may be there by now.
fn detach(point: &MountPoint, mount: &Rc<Mount>) {
    let is_there = state::table().mount(point).is_some_and(|there| Rc::ptr_eq(there, mount));
    let detached = is_there.then(|| state::change(|table| table.remove(point)));
    drop(detached);
    mount.detach();
}

fn info(mount: &Mount) -> MountInfo {
    MountInfo {
        path: mount.path.clone(),
        id: mount.id.clone(),
        access: mount.access,
        label: mount.label.clone(),
        unsynced: mount.grant().and_then(|grant| grant.unsynced()),
    }
}

/// A file where a mount point, or a directory above it, has to be would vanish behind it: refuse, before anybody is
/// asked for anything.
fn check_in_the_way(point: &MountPoint) -> Result<(), Error> {
    for depth in 1..=point.parts().len() {
        let parts = &point.parts()[..depth];
        let Some(kind) = super::descriptor::kind_at(parts, PathFlags::SYMLINK_FOLLOW) else {
            return Ok(());
        };
        if kind != DescriptorType::Directory {
            let file = path::join(parts.iter().map(String::as_str));
            return Err(Error::InvalidPath(
                ["/", &file, " is a file: mount where there is a directory or nothing"].concat(),
            ));
        }
    }
    Ok(())
}

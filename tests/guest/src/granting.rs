//! The same steps of `mounts` as far as `grants` alone can do them: a guest that the component is not in the way of.

use crate::bindings::mountfs::fs::grants::{self, Access, Grant, Key};
use crate::bindings::wasi::filesystem::types::Descriptor;
use crate::{Done, Fault};
use std::cell::RefCell;
use std::rc::Rc;

thread_local! {
    /// By mount point.
    static MOUNTED: RefCell<Vec<(String, Grant, Rc<Descriptor>)>> = const { RefCell::new(Vec::new()) };
}

/// The directory that an absolute path is looked up in, and the path from there.
pub(crate) fn place(path: &str) -> Result<(Rc<Descriptor>, &str), Fault> {
    MOUNTED.with_borrow(|mounted| {
        let found =
            mounted.iter().find_map(|(point, _, root)| Some((root.clone(), path.strip_prefix(point.as_str())?)));
        let (root, path) = found.ok_or_else(|| Fault::Case(format!("nothing is mounted above {path}")))?;
        let path = path.trim_start_matches('/');
        Ok((root, if path.is_empty() { "." } else { path }))
    })
}

/// Does a step; `None` when it is another's.
pub(crate) fn step(verb: &str, words: &[&str]) -> Option<Done> {
    Some(match (verb, words) {
        ("mount", [path]) => mount(path, "mountfs", Access::ReadWrite),
        ("mount", [path, "access=read"]) => mount(path, "mountfs", Access::Read),
        ("mount", [path, id]) => mount(path, id.strip_prefix("id=").unwrap_or_default(), Access::ReadWrite),
        ("unmount", [path]) => {
            drop(MOUNTED.with_borrow_mut(|mounted| {
                let at = mounted.iter().position(|(point, ..)| point == path)?;
                Some(mounted.remove(at))
            }));
            Ok(Vec::new())
        }
        ("sync", [path]) => MOUNTED.with_borrow(|mounted| {
            let grant = mounted.iter().find(|(point, ..)| point == path).map(|(_, grant, _)| grant);
            let grant = grant.ok_or_else(|| Fault::Case(format!("nothing is mounted at {path}")))?;
            grant.sync()?;
            Ok(Vec::new())
        }),
        ("revoke", [path, id]) => {
            let key = Key { path: (*path).to_owned(), id: (*id).to_owned() };
            grants::revoke(&key).map(|was| vec![was.to_string()]).map_err(Fault::from)
        }
        _ => return None,
    })
}

fn mount(path: &str, id: &str, access: Access) -> Done {
    let grant = grants::acquire(&Key { path: path.to_owned(), id: id.to_owned() }, access, None)?;
    let root = Rc::new(grant.root()?);
    MOUNTED.with_borrow_mut(|mounted| mounted.push((path.to_owned(), grant, root)));
    Ok(Vec::new())
}

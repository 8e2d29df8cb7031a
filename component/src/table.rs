//! The mount table: a tree of path parts, so that finding the mount for a path costs its depth, however many mounts
//! there are, and the directories above a mount point need no entry of their own.

use crate::path::MountPoint;
use alloc::string::String;
use alloc::vec::Vec;

/// Mounts and the host's preopens by the path they are attached at.
#[derive(Clone, Debug)]
pub struct Table<M> {
    root: Node<M>,
}

/// A path part with something attached at it or below it.
#[derive(Clone, Debug)]
pub struct Node<M> {
    /// By name. A sorted list, because a tree or hash map would be a tenth of the component's size.
    children: Vec<(String, Node<M>)>,
    mount: Option<M>,
    preopen: Option<M>,
}

impl<M> Default for Node<M> {
    fn default() -> Self {
        Self { children: Vec::new(), mount: None, preopen: None }
    }
}

impl<M> Default for Table<M> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

impl<M> Node<M> {
    /// What a path that ends here reaches: a mount hides a preopen.
    pub fn top(&self) -> Option<&M> {
        self.mount.as_ref().or(self.preopen.as_ref())
    }

    /// One part further down.
    pub fn child(&self, part: &str) -> Option<&Self> {
        self.find(part).ok().map(|index| &self.children[index].1)
    }

    /// The names a listing of this directory shows for what is attached below it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.children.iter().map(|(name, _)| name.as_str())
    }

    /// Whether anything is attached below, so that a path into this directory may lead out of its mount.
    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    fn find(&self, part: &str) -> Result<usize, usize> {
        self.children.binary_search_by(|(name, _)| name.as_str().cmp(part))
    }

    fn at_or_insert(&mut self, parts: &[String]) -> &mut Self {
        parts.iter().fold(self, |node, part| {
            let index = node.find(part).unwrap_or_else(|index| {
                node.children.insert(index, (part.clone(), Self::default()));
                index
            });
            &mut node.children[index].1
        })
    }

    fn remove(&mut self, parts: &[String]) -> Option<M> {
        let Some((part, rest)) = parts.split_first() else {
            return self.mount.take();
        };
        let index = self.find(part).ok()?;
        let child = &mut self.children[index].1;
        let removed = child.remove(rest);
        if child.top().is_none() && !child.has_children() {
            self.children.remove(index);
        }
        removed
    }

    fn collect<'a>(&'a self, into: &mut Vec<&'a M>) {
        into.extend(&self.mount);
        self.children.iter().for_each(|(_, child)| child.collect(into));
    }
}

impl<M> Table<M> {
    /// The guest's root directory.
    pub fn root(&self) -> &Node<M> {
        &self.root
    }

    /// The node at a path; `None` when nothing is attached there or below.
    pub fn node<'a>(&self, parts: impl IntoIterator<Item = &'a String>) -> Option<&Node<M>> {
        parts.into_iter().try_fold(&self.root, |node, part| node.child(part))
    }

    /// The mount at exactly this mount point.
    pub fn mount(&self, point: &MountPoint) -> Option<&M> {
        self.node(point.parts())?.mount.as_ref()
    }

    /// Attaches a mount. The caller has looked whether there is one.
    pub fn insert(&mut self, point: &MountPoint, mount: M) {
        self.root.at_or_insert(point.parts()).mount = Some(mount);
    }

    /// Attaches a preopen of the host; of two at one place the later one counts, as in a libc. Answers the earlier.
    pub fn insert_preopen(&mut self, point: &MountPoint, preopen: M) -> Option<M> {
        self.root.at_or_insert(point.parts()).preopen.replace(preopen)
    }

    /// Detaches a mount; what it hid is visible again.
    pub fn remove(&mut self, point: &MountPoint) -> Option<M> {
        self.root.remove(point.parts())
    }

    /// All mounts, ordered by path.
    pub fn mounts(&self) -> Vec<&M> {
        let mut mounts = Vec::new();
        self.root.collect(&mut mounts);
        mounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn point(path: &str) -> MountPoint {
        MountPoint::parse(path).unwrap()
    }

    #[test]
    fn a_mount_hides_a_preopen_until_it_is_removed() {
        let mut table = Table::default();
        table.insert_preopen(&point("/lib"), "preopen");
        table.insert(&point("/lib"), "mount");
        assert_eq!(table.node(point("/lib").parts()).unwrap().top(), Some(&"mount"));
        assert_eq!(table.remove(&point("/lib")), Some("mount"));
        assert_eq!(table.node(point("/lib").parts()).unwrap().top(), Some(&"preopen"));
        assert_eq!(table.mount(&point("/lib")), None);
    }

    #[test]
    fn removing_the_last_mount_below_removes_the_directories_above() {
        let mut table = Table::default();
        table.insert(&point("/a/b/c"), 1);
        table.insert(&point("/a"), 2);
        table.remove(&point("/a/b/c"));
        assert!(table.node(point("/a/b").parts()).is_none());
        assert!(!table.node(point("/a").parts()).unwrap().has_children());
    }

    proptest! {
        /// Any order of inserts and removes leaves what a plain map has.
        #[test]
        fn agrees_with_a_map(steps in prop::collection::vec((prop::collection::vec("[ab]", 0..4), any::<bool>()), 0..40)) {
            let (mut table, mut map) = (Table::default(), BTreeMap::new());
            for (number, (parts, insert)) in steps.into_iter().enumerate() {
                let point = point(&format!("/{}", parts.join("/")));
                if insert {
                    table.insert(&point, number);
                    map.insert(parts, number);
                } else {
                    prop_assert_eq!(table.remove(&point), map.remove(&parts));
                }
                prop_assert_eq!(table.mounts(), map.values().collect::<Vec<_>>());
            }
        }
    }
}

//! The path walk: from a directory and a path to the mount that answers for it, and the path to ask it for.
//!
//! As long as nothing is attached below a mount and the path has no `..`, the rest of the path goes to the host in one
//! piece. Otherwise the walk takes it part by part and resolves symbolic links itself, because only it knows the mounts
//! that a link or a `..` may lead to. This decides where a path leads, not what is allowed: the host confines.

use crate::path::{self, LONGEST};
use crate::table::{Node, Table};
use alloc::borrow::Cow;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// Links followed in one walk before it is a loop, as in Linux (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// The directory a walk starts from, and cannot leave upwards.
pub struct Base<'a, M> {
    /// Where it is in the guest's tree, as parts from the root down.
    pub path: &'a [String],
    /// The mount it was opened in; `None` when only its path is known, and the table says what is there.
    pub mount: Option<&'a M>,
}

/// Where a path leads.
#[derive(Debug)]
pub struct Place<'t, M> {
    /// The mount, or `None` in a virtual directory.
    pub mount: Option<&'t M>,
    /// Whether `path` counts from the base of the walk, not from the mount's root.
    pub from_base: bool,
    /// The path to ask the host for; `.` for the directory it counts from.
    pub path: Cow<'t, str>,
    /// Where it is in the guest's tree, as far as the walk resolved it: below this directory…
    pub above: &'t [String],
    /// …by this path.
    pub below: Cow<'t, str>,
    /// What is attached at or below this place. With no mount and no node, there is nothing here.
    pub node: Option<&'t Node<M>>,
}

impl<M> Place<'_, M> {
    /// The path from the guest's root, as parts.
    pub fn guest(&self) -> Vec<String> {
        self.above.iter().cloned().chain(names(&self.below).map(str::to_owned)).collect()
    }
}

/// What the host says is at a path, links not followed.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A symbolic link, and its target.
    Link(String),
    /// Anything else.
    File,
    /// Nothing.
    Missing,
}

/// A walk's questions to the host.
pub trait Look<M> {
    /// Why the host could not say.
    type Error: From<Refusal>;

    /// What is at `path`, counted from the walk's base or from the mount's root.
    fn kind(&self, mount: &M, from_base: bool, path: &str) -> Result<Kind, Self::Error>;
}

/// Why a walk ended before its path did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A part is not there.
    NoEntry,
    /// A part on the way is not a directory.
    NotDirectory,
    /// The path is absolute, leads above its base, or a link leads out of its mount.
    NotPermitted,
    /// Too many links.
    Loop,
    /// The path contains NUL.
    Invalid,
    /// The path is longer than any system takes.
    NameTooLong,
}

/// Walks `path`. A link at its end is followed when `follow` is set or a slash comes after it.
pub fn walk<'t, M, L: Look<M>>(
    table: &'t Table<M>,
    base: Base<'t, M>,
    path: &'t str,
    follow: bool,
    look: &L,
) -> Result<Place<'t, M>, L::Error> {
    if path.is_empty() {
        return Err(Refusal::NoEntry.into());
    }
    if path.starts_with('/') {
        return Err(Refusal::NotPermitted.into());
    }
    if path.contains('\0') {
        return Err(Refusal::Invalid.into());
    }
    if path.len() > LONGEST {
        return Err(Refusal::NameTooLong.into());
    }
    if let Some(place) = straight(table, &base, path) {
        return Ok(place);
    }
    let slash = path.ends_with('/');
    let mut ahead = Ahead(vec![Piece { text: path.to_owned(), done: 0, floor: base.path.len() }]);
    let mut at = Position::new(table, base);
    let mut links = 0;
    loop {
        ahead.skip_dots();
        if ahead.is_empty() {
            return Ok(match at.is_virtual(look)? {
                true => at.virtual_directory(),
                false => at.place(if slash { "/" } else { "" }),
            });
        }
        if at.is_plain() && !ahead.goes_up() {
            // The slash at the end of the path, where a link's target stands in for what it followed.
            let lost = slash && !ahead.ends_with_slash();
            return Ok(at.place(&(ahead.join() + if lost { "/" } else { "" })));
        }
        let (part, floor) = ahead.next();
        if part == ".." {
            at.up(floor)?;
            continue;
        }
        ahead.skip_dots();
        let last = ahead.is_empty();
        let leads_on = at.node().is_some_and(|node| node.child(&part).is_some());
        if !leads_on && at.is_virtual(look)? {
            // A virtual directory has no other names.
            return if last { Ok(at.nothing()) } else { Err(Refusal::NoEntry.into()) };
        }
        at.down(part);
        let Some(mount) = at.mount().filter(|_| !leads_on) else {
            continue;
        };
        if last && !follow && !slash {
            continue;
        }
        match look.kind(mount.mount, mount.from_base, &at.relative())? {
            Kind::Directory => {}
            Kind::Link(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Refusal::Loop.into());
                }
                if target.starts_with('/') {
                    return Err(Refusal::NotPermitted.into());
                }
                let floor = mount.depth;
                at.parts.pop();
                ahead.0.push(Piece { text: target, done: 0, floor });
            }
            Kind::File if !last => return Err(Refusal::NotDirectory.into()),
            Kind::Missing if !last => return Err(Refusal::NoEntry.into()),
            Kind::File | Kind::Missing => {}
        }
    }
}

/// Where most paths lead: down to a mount that has nothing attached below it, and on by names alone. The walk comes to the
/// same place; this copies nothing on the way.
fn straight<'t, M>(table: &'t Table<M>, base: &Base<'t, M>, path: &'t str) -> Option<Place<'t, M>> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let (mut node, mut rest) = (table.node(base.path), path);
    let mount = match base.mount {
        Some(mount) => (!node.is_some_and(Node::has_children)).then_some(mount)?,
        None => loop {
            let here = node?;
            if !here.has_children() {
                break here.top()?;
            }
            let (part, below) = rest.split_once('/')?;
            (node, rest) = (here.child(part), below);
        },
    };
    Some(Place {
        mount: Some(mount),
        from_base: base.mount.is_some(),
        path: Cow::Borrowed(rest),
        above: base.path,
        below: Cow::Borrowed(path),
        node: None,
    })
}

/// The parts of a path that lead somewhere.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// What is still to walk: the guest's path, and on top of it the targets of the links met on the way.
struct Ahead(Vec<Piece>);

struct Piece {
    text: String,
    /// Bytes of `text` already walked.
    done: usize,
    /// How far up its `..` may lead, in parts from the guest's root: the guest's to the base, a link's to its mount.
    floor: usize,
}

impl Piece {
    fn rest(&self) -> &str {
        self.text.get(self.done..).unwrap_or_default()
    }
}

impl Ahead {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops what leads nowhere: `.`, doubled slashes, pieces that are done.
    fn skip_dots(&mut self) {
        while let Some(piece) = self.0.last_mut() {
            let rest = piece.rest();
            if rest.is_empty() {
                self.0.pop();
            } else if rest.starts_with('/') || rest == "." || rest.starts_with("./") {
                piece.done += 1;
            } else {
                return;
            }
        }
    }

    /// Takes the next part, with its floor. There is one after `skip_dots`, unless `is_empty`.
    fn next(&mut self) -> (String, usize) {
        let piece = self.0.last_mut().expect("there is a next part");
        let part = piece.rest().split('/').next().unwrap_or_default().to_owned();
        piece.done += part.len();
        (part, piece.floor)
    }

    fn goes_up(&self) -> bool {
        self.0.iter().any(|piece| piece.rest().split('/').any(|part| part == ".."))
    }

    fn ends_with_slash(&self) -> bool {
        self.0.first().is_some_and(|piece| piece.rest().ends_with('/'))
    }

    fn join(&self) -> String {
        path::join(self.0.iter().rev().map(|piece| piece.rest().trim_start_matches('/')))
    }
}

/// How far a walk has come.
struct Position<'t, M> {
    root: &'t Node<M>,
    /// The parts from the guest's root down, each with what is attached at or below it.
    parts: Vec<(String, Option<&'t Node<M>>)>,
    /// The mounts entered on the way, the current one last.
    entered: Vec<Entered<'t, M>>,
}

struct Entered<'t, M> {
    mount: &'t M,
    /// How many parts lie above what paths in it count from.
    depth: usize,
    from_base: bool,
}

impl<M> Clone for Entered<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Entered<'_, M> {}

impl<'t, M> Position<'t, M> {
    fn new(table: &'t Table<M>, base: Base<'t, M>) -> Self {
        let mut at = Self { root: table.root(), parts: Vec::new(), entered: Vec::new() };
        at.enter(at.root);
        for part in base.path {
            at.down(part.clone());
        }
        if let Some(mount) = base.mount {
            // A directory that was opened stays what it is, whatever has been attached above it or over it since.
            at.entered = vec![Entered { mount, depth: base.path.len(), from_base: true }];
        }
        at
    }

    fn node(&self) -> Option<&'t Node<M>> {
        self.node_at(self.parts.len())
    }

    fn node_at(&self, depth: usize) -> Option<&'t Node<M>> {
        depth.checked_sub(1).map_or(Some(self.root), |last| self.parts[last].1)
    }

    fn mount(&self) -> Option<Entered<'t, M>> {
        self.entered.last().copied()
    }

    /// Whether the host can answer for everything below the current mount, because nothing is attached there.
    fn is_plain(&self) -> bool {
        self.mount().is_some_and(|mount| !self.node_at(mount.depth).is_some_and(Node::has_children))
    }

    /// Whether this is a directory only because it leads to a mount point: the host has no directory of this path, or
    /// reaches one by a link, which is hidden here.
    fn is_virtual<L: Look<M>>(&self, look: &L) -> Result<bool, L::Error> {
        let Some(mount) = self.mount() else {
            return Ok(true);
        };
        if self.node().is_none() {
            return Ok(false);
        }
        for depth in mount.depth..self.parts.len() {
            let path = join(&self.parts[mount.depth..=depth]);
            if look.kind(mount.mount, mount.from_base, &path)? != Kind::Directory {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn enter(&mut self, node: &'t Node<M>) {
        let depth = self.parts.len();
        self.entered.extend(node.top().map(|mount| Entered { mount, depth, from_base: false }));
    }

    fn down(&mut self, part: String) {
        let node = self.node().and_then(|node| node.child(&part));
        self.parts.push((part, node));
        if let Some(node) = node {
            self.enter(node);
        }
    }

    fn up(&mut self, floor: usize) -> Result<(), Refusal> {
        if self.parts.len() <= floor {
            return Err(Refusal::NotPermitted);
        }
        self.parts.pop();
        self.entered.retain(|mount| mount.depth <= self.parts.len());
        Ok(())
    }

    /// The path within the current mount.
    fn relative(&self) -> String {
        join(&self.parts[self.mount().map_or(0, |mount| mount.depth)..])
    }

    fn virtual_directory(self) -> Place<'t, M> {
        let (node, below) = (self.node(), join(&self.parts).into());
        Place { mount: None, from_base: false, path: Cow::default(), above: &[], below, node }
    }

    /// A name that is not in a virtual directory.
    fn nothing(self) -> Place<'t, M> {
        Place { node: None, ..self.virtual_directory() }
    }

    /// Where the walk ends: here, or `rest` further down in the current mount.
    fn place(self, rest: &str) -> Place<'t, M> {
        let mount = self.mount();
        let node = if names(rest).next().is_none() { self.node() } else { None };
        let path = self.relative();
        let path = match (path.as_str(), rest) {
            ("", "" | "/") => [".", rest].concat(),
            ("", rest) => rest.to_owned(),
            (path, "" | "/") => [path, rest].concat(),
            (path, rest) => [path, "/", rest].concat(),
        };
        Place {
            mount: mount.map(|mount| mount.mount),
            from_base: mount.is_some_and(|mount| mount.from_base),
            path: path.into(),
            above: &[],
            below: path::join(self.parts.iter().map(|(part, _)| part.as_str()).chain([rest])).into(),
            node,
        }
    }
}

fn join<T>(parts: &[(String, T)]) -> String {
    path::join(parts.iter().map(|(part, _)| part.as_str()))
}

#[cfg(test)]
mod tests;

//! The walk against a naive one, which takes every path part by part through the whole of the guest's tree, over random
//! trees with mounts in mounts, links and `..`.

use super::*;
use crate::path::MountPoint;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
enum Tree {
    Directory(BTreeMap<String, Tree>),
    File,
    Link(String),
}

impl Tree {
    /// Links not followed.
    fn at(&self, path: &[String]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, part| match tree {
            Tree::Directory(entries) => entries.get(part),
            _ => None,
        })
    }
}

/// Where a path ends.
#[derive(Debug, PartialEq)]
enum End {
    Real { mount: usize, path: Vec<String> },
    Virtual(Vec<String>),
    Nothing,
}

type Answer = Result<End, Refusal>;

/// Directories of a host, by mount, and where they are attached.
#[derive(Debug)]
struct Model {
    trees: Vec<Tree>,
    points: Vec<Vec<String>>,
    table: Table<usize>,
}

impl Model {
    fn new(mounts: Vec<(Vec<String>, Tree)>) -> Self {
        let (mut table, mut trees, mut points) = (Table::default(), Vec::new(), Vec::<Vec<String>>::new());
        for (point, tree) in mounts {
            if !points.contains(&point) {
                table.insert(&MountPoint::parse(&format!("/{}", point.join("/"))).unwrap(), trees.len());
                points.push(point);
                trees.push(tree);
            }
        }
        Self { trees, points, table }
    }

    fn leads_to_mount(&self, path: &[String]) -> bool {
        self.points.iter().any(|point| point.starts_with(path))
    }

    fn owner(&self, path: &[String]) -> Option<usize> {
        let owners = self.points.iter().enumerate().filter(|(_, point)| path.starts_with(point));
        owners.max_by_key(|(_, point)| point.len()).map(|(mount, _)| mount)
    }

    fn naive(&self, base: &[String], path: &str, follow: bool) -> Answer {
        let follow = follow || path.ends_with('/');
        let mut at = base.to_vec();
        let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let mut ahead: VecDeque<_> = parts(path).into_iter().map(|part| (part, base.len())).collect();
        let mut links = 0;
        while let Some((part, floor)) = ahead.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." if at.len() <= floor => return Err(Refusal::NotPermitted),
                ".." => drop(at.pop()),
                _ => {
                    at.push(part);
                    let last = ahead.iter().all(|(part, _)| matches!(part.as_str(), "" | "."));
                    if self.leads_to_mount(&at) {
                        continue;
                    }
                    let owner = self.owner(&at);
                    let depth = owner.map_or(0, |mount| self.points[mount].len());
                    match owner.and_then(|mount| self.trees[mount].at(&at[depth..])) {
                        Some(Tree::Directory(_)) => {}
                        Some(Tree::Link(target)) if !last || follow => {
                            links += 1;
                            if links > MAX_LINKS {
                                return Err(Refusal::Loop);
                            }
                            if target.starts_with('/') {
                                return Err(Refusal::NotPermitted);
                            }
                            at.pop();
                            parts(target).into_iter().rev().for_each(|part| ahead.push_front((part, depth)));
                        }
                        Some(Tree::File) if !last => return Err(Refusal::NotDirectory),
                        None if !last => return Err(Refusal::NoEntry),
                        _ => {}
                    }
                }
            }
        }
        Ok(self.end(at))
    }

    fn end(&self, at: Vec<String>) -> End {
        let Some(mount) = self.owner(&at) else {
            return if self.leads_to_mount(&at) { End::Virtual(at) } else { End::Nothing };
        };
        let depth = self.points[mount].len();
        let path = at[depth..].to_vec();
        let above_mount = self.leads_to_mount(&at) && !self.points.contains(&at);
        match self.trees[mount].at(&path) {
            Some(Tree::Directory(_)) => End::Real { mount, path },
            _ if above_mount => End::Virtual(at),
            Some(_) => End::Real { mount, path },
            None => End::Nothing,
        }
    }

    /// What a host that confines paths to a mount makes of one.
    fn host(&self, mount: usize, path: &str, follow: bool) -> Answer {
        let alone = Model::new(vec![(Vec::new(), self.trees[mount].clone())]);
        Ok(match alone.naive(&[], path, follow)? {
            End::Real { path, .. } => End::Real { mount, path },
            other => other,
        })
    }

    /// The walk, and then the host.
    fn walked(&self, base: &[String], path: &str, follow: bool) -> Answer {
        let place = walk(&self.table, Base { path: base, mount: None }, path, follow, self)?;
        match place.mount {
            None if place.node.is_some() => Ok(End::Virtual(place.guest())),
            None => Ok(End::Nothing),
            Some(&mount) => self.host(mount, &place.path, follow),
        }
    }
}

impl Look<usize> for Model {
    type Error = Refusal;

    fn kind(&self, mount: &usize, _: bool, path: &str) -> Result<Kind, Refusal> {
        match self.host(*mount, path, false) {
            Ok(End::Real { mount, path }) => Ok(match self.trees[mount].at(&path) {
                Some(Tree::Directory(_)) => Kind::Directory,
                Some(Tree::Link(target)) => Kind::Link(target.clone()),
                Some(Tree::File) => Kind::File,
                None => Kind::Missing,
            }),
            Ok(_) | Err(Refusal::NoEntry | Refusal::NotDirectory) => Ok(Kind::Missing),
            Err(refusal) => Err(refusal),
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    "[abc]"
}

fn path() -> impl Strategy<Value = String> {
    let part =
        prop_oneof![6 => name(), 2 => Just("..".to_owned()), 1 => Just(".".to_owned()), 1 => Just(String::new())];
    (prop::collection::vec(part, 1..6), any::<bool>())
        .prop_map(|(parts, slash)| format!("{}{}", parts.join("/"), if slash { "/" } else { "" }))
        // Relative, and not empty.
        .prop_map(|path| Some(path.trim_start_matches('/')).filter(|path| !path.is_empty()).unwrap_or(".").to_owned())
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![1 => Just(Tree::File), 2 => path().prop_map(Tree::Link), 1 => Just(Tree::Link("/a".into()))];
    let entries = leaf
        .prop_recursive(3, 12, 3, |inner| prop::collection::btree_map(name(), inner, 0..4).prop_map(Tree::Directory));
    prop::collection::btree_map(name(), entries, 0..4).prop_map(Tree::Directory)
}

fn point() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), 0..4)
}

/// The parts of a path in the model are those it was made of.
fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn directory<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
    Tree::Directory(entries.map(|(name, tree)| (name.to_owned(), tree)).into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn agrees_with_a_naive_walk(
        mounts in prop::collection::vec((point(), tree()), 1..4),
        base in prop_oneof![3 => Just(0), 1 => 1..4_usize],
        path in path(),
        follow in any::<bool>(),
    ) {
        let model = Model::new(mounts);
        // A base is a directory the guest has open by its path: the root, a preopen, a virtual directory.
        let point = model.points.last().unwrap();
        let base = &point[..base.min(point.len())];
        prop_assert_eq!(model.walked(base, &path, follow), model.naive(base, &path, follow));
    }
}

#[test]
fn a_path_in_a_mount_goes_to_the_host_in_one_piece() {
    struct Never;
    impl Look<usize> for Never {
        type Error = Refusal;
        fn kind(&self, _: &usize, _: bool, path: &str) -> Result<Kind, Refusal> {
            panic!("asked for {path}")
        }
    }
    let mut table = Table::default();
    table.insert(&MountPoint::parse("/local").unwrap(), 0);
    table.insert(&MountPoint::parse("/other").unwrap(), 1);
    let place = walk(&table, Base { path: &[], mount: None }, "local/a//b/./c/", true, &Never).unwrap();
    assert_eq!((place.mount, &*place.path), (Some(&0), "a//b/./c/"));
    assert_eq!(place.guest(), parts("local/a/b/c"));
}

#[test]
fn a_path_of_names_alone_is_not_copied_and_leads_into_what_is_attached_below() {
    let (mut table, local) = (Table::default(), parts("local"));
    table.insert(&MountPoint::parse("/local").unwrap(), 0);
    let bases = [(Base { path: &[], mount: None }, "local/x/y"), (Base { path: &local, mount: Some(&0) }, "x/y")];
    let model = Model::new(vec![(local.clone(), directory([("x", directory([]))]))]);
    for (Base { path: base, mount }, path) in bases {
        let place = walk(&table, Base { path: base, mount }, path, true, &model).unwrap();
        assert!(matches!(place.path, Cow::Borrowed("x/y")), "{:?}", place.path);
        assert_eq!((place.mount, place.from_base, place.guest()), (Some(&0), mount.is_some(), parts("local/x/y")));
        let mut table = table.clone();
        table.insert(&MountPoint::parse("/local/x/y").unwrap(), 1);
        let place = walk(&table, Base { path: base, mount }, path, true, &model).unwrap();
        assert_eq!((place.mount, &*place.path, place.guest()), (Some(&1), ".", parts("local/x/y")));
    }
}

#[test]
fn dot_dot_after_a_link_is_the_parent_of_its_target() {
    let deep = directory([("d", directory([("f", Tree::File)])), ("g", Tree::File)]);
    let model = Model::new(vec![(parts("m"), directory([("link", Tree::Link("x/d".into())), ("x", deep)]))]);
    assert_eq!(model.walked(&[], "m/link/../g", true), Ok(End::Real { mount: 0, path: parts("x/g") }));
    assert_eq!(model.walked(&[], "m/link/../../../m", true), Ok(End::Real { mount: 0, path: vec![] }));
    assert_eq!(model.walked(&[], "m/..", true), Ok(End::Virtual(vec![])));
}

#[test]
fn a_link_may_not_lead_out_of_its_mount_even_where_the_guest_may() {
    let model =
        Model::new(vec![(parts("m"), directory([("out", Tree::Link("../n".into()))])), (parts("n"), directory([]))]);
    assert_eq!(model.walked(&[], "m/out", true), Err(Refusal::NotPermitted));
    assert_eq!(model.walked(&[], "m/../n", true), Ok(End::Real { mount: 1, path: vec![] }));
    assert_eq!(model.walked(&[], "m/out", false), Ok(End::Real { mount: 0, path: parts("out") }));
}

#[test]
fn nothing_leads_above_the_base() {
    let model = Model::new(vec![(parts("m"), directory([("d", directory([]))]))]);
    for (base, path) in [("", ".."), ("", "m/../.."), ("m", ".."), ("m", "d/../..")] {
        assert_eq!(model.walked(&parts(base), path, true), Err(Refusal::NotPermitted), "{base:?} {path:?}");
    }
}

#[test]
fn refuses_what_is_no_relative_path() {
    let model = Model::new(vec![(vec![], directory([]))]);
    assert_eq!(model.walked(&[], "", true), Err(Refusal::NoEntry));
    assert_eq!(model.walked(&[], "/m", true), Err(Refusal::NotPermitted));
    assert_eq!(model.walked(&[], "a\0b", true), Err(Refusal::Invalid));
}

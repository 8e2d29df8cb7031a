//! The grant store.

use super::{each_call, errors};
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept, StoreError};
use mountfs_tests::faults::Plan;
use std::fs;

/// A store of two grants, and a change of it.
struct Change {
    name: &'static str,
    change: fn(&FileStore) -> Result<(), StoreError>,
}

fn kept(id: &str, access: Access) -> Kept {
    Kept::new("app", GrantKey::new("/local", id), "/home/ada/work", access)
}

/// Without the numbers, which are new each time.
fn kept_in(store: &FileStore) -> Vec<Kept> {
    store.list().unwrap().into_iter().map(|kept| Kept { serial: None, ..kept }).collect()
}

#[test]
fn the_grant_store_has_the_grants_before_or_after_and_who_changes_it_is_told() {
    let changes = [
        Change { name: "add", change: |store| store.put(kept("c", Access::Read)).map(drop) },
        Change { name: "widen", change: |store| store.put(kept("a", Access::ReadWrite)).map(drop) },
        Change {
            name: "remove",
            change: |store| store.remove("app", &GrantKey::new("/local", "a")).map(|was| assert!(was)),
        },
    ];
    for Change { name, change } in changes {
        for (errno, error) in errors() {
            let plans: [&dyn Fn(usize) -> Plan; 2] =
                [&|number| Plan::One(number, errno), &|number| Plan::From(number, errno)];
            for plan in plans {
                let state = tempfile::tempdir().unwrap();
                let mut after = Vec::new();
                let calls = each_call(state.path(), plan, |faults| {
                    let folder = state.path().join("state");
                    let _ = fs::remove_dir_all(&folder);
                    let store = FileStore::new(folder.join("grants.json"));
                    for id in ["a", "b"] {
                        store.put(kept(id, Access::Read)).unwrap();
                    }
                    let before = kept_in(&store);
                    if after.is_empty() {
                        let other = FileStore::new(state.path().join("other/grants.json"));
                        before.iter().for_each(|kept| drop(other.put(kept.clone()).unwrap()));
                        change(&other).unwrap();
                        after = kept_in(&other);
                    }
                    let done = faults.under(|| change(&store));
                    let now = kept_in(&FileStore::new(store.path()));
                    match done {
                        Ok(()) => assert_eq!(now, after, "{name}"),
                        // It is gone, and may come back with a loss of power.
                        Err(StoreError::Io { what: "make durable", .. }) if name == "remove" => {
                            assert_eq!(now, after, "{name}");
                        }
                        Err(_) => assert_eq!(now, before, "{name}"),
                    }
                    if now != after {
                        change(&store).unwrap();
                    }
                    assert_eq!(kept_in(&store), after, "{name}, again");
                    store.put(kept("z", Access::Read)).unwrap();
                    let mut names: Vec<_> =
                        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
                    names.sort();
                    assert_eq!(names, ["grants.json", "grants.lock"], "{name}");
                });
                println!("{name}: {calls} calls, {error}");
            }
        }
    }
}

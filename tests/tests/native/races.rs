//! Other programs change the folder while the guest writes and syncs. Here a guest is an ordinary local program: what it
//! writes is in the file at once, so there is one version of each file, and the last to write, replace or remove it wins.
//! A sync only makes that durable: it writes nothing, brings nothing back, and names what it could not do.
#![cfg(target_os = "linux")]

use mountfs_host::MountError;
use mountfs_tests::faults::{Faults, Plan};
use mountfs_tests::{DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags, block_on};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Barrier;

fn read_write() -> DescriptorFlags {
    DescriptorFlags::READ | DescriptorFlags::WRITE
}

/// All versions of a file are of one length, so that a write is the whole of it.
fn version(who: &str, number: usize) -> String {
    format!("{who:>10} {number:>10}")
}

/// What another program does to a file in the directory `d`.
#[derive(Clone, Copy, Debug)]
enum Act {
    Edit,
    Replace,
    Remove,
    RemoveDirectory,
    MoveDirectory,
}

const ACTS: [Act; 5] = [Act::Edit, Act::Replace, Act::Remove, Act::RemoveDirectory, Act::MoveDirectory];

impl Act {
    /// Does it; whether there was something to do it to.
    fn act(self, folder: &Path, file: &str, text: &str) -> bool {
        let (directory, path) = (folder.join("d"), folder.join("d").join(file));
        let done = match self {
            Self::Edit => File::options().write(true).open(path).and_then(|file| file.write_all_at(text.as_bytes(), 0)),
            // As editors do.
            Self::Replace => {
                let new = directory.join(format!("{file}.swap"));
                fs::write(&new, text).and_then(|()| fs::rename(new, path))
            }
            Self::Remove => fs::remove_file(path),
            Self::RemoveDirectory => fs::remove_dir_all(directory),
            Self::MoveDirectory => fs::rename(directory, folder.join("moved")),
        };
        done.is_ok()
    }
}

/// What a guest does with `d/file`, and with a name it makes. A call fails only for what is not there any more.
async fn write_and_sync(guest: &mut Fixture, last: &str) {
    let gone = |error: ErrorCode| assert!(matches!(error, ErrorCode::NoEntry), "{error:?}");
    match guest.open("/local/d/file", OpenFlags::empty(), read_write()).await {
        Ok(file) => {
            assert_eq!(guest.pwrite(file, version("guest", 1).as_bytes(), 0).await.unwrap(), last.len() as u64);
            guest.sync("/local").await.unwrap();
            assert_eq!(guest.pwrite(file, last.as_bytes(), 0).await.unwrap(), last.len() as u64);
        }
        Err(error) => gone(error),
    }
    guest.write("/local/d/new", last).await.unwrap_or_else(gone);
    guest.rename("/local/d/new", "/local/d/newer").await.unwrap_or_else(gone);
    guest.sync("/local").await.unwrap();
    guest.unlink("/local/d/newer").await.unwrap_or_else(gone);
    guest.unmount("/local").await.unwrap();
}

/// At every call in turn: the guest's call waits while another program does its act.
#[test]
fn another_programs_change_before_each_call_is_neither_lost_nor_undone() {
    let last = version("guest", 2);
    let outside = version("outside", 0);
    for act in ACTS {
        for number in 1.. {
            let folder = Folder::with([("d/file", &version("old", 0)), ("beside", "untouched")]);
            let faults = Faults::over(&folder.path());
            faults.plan(Plan::Hold(number));
            let was_hit = std::thread::scope(|scope| {
                let guest = scope.spawn(|| {
                    faults.under(|| {
                        block_on(async { write_and_sync(&mut Fixture::mounted(&folder).await, &last).await })
                    });
                });
                let was_hit = faults.wait_until_held();
                if was_hit {
                    assert!(act.act(&folder.path(), "file", &outside), "{act:?}");
                    faults.release();
                }
                guest.join().unwrap_or_else(|_| panic!("{act:?} before call {number}"));
                was_hit
            });
            let tree = folder.tree();
            let text = |path: &str| tree.get(path).map(String::as_str);
            let either = |text: Option<&str>| text == Some(&last) || text == Some(&outside);
            let context = format!("{act:?} before call {number}: {tree:?}");
            assert_eq!(text("beside"), Some("untouched"), "{context}");
            if !was_hit {
                assert_eq!((text("d/file"), tree.len()), (Some(&*last), 2), "{context}");
                assert!(number > 20, "only {number} calls");
                break;
            }
            match act {
                Act::Edit | Act::Replace => assert!(either(text("d/file")) && tree.len() == 2, "{context}"),
                Act::Remove => assert!(text("d/").is_some() && tree.len() == 2, "{context}"),
                Act::RemoveDirectory => assert_eq!(tree.len(), 1, "{context}"),
                Act::MoveDirectory => {
                    let is_moved = |path: &str| path.starts_with("moved/") || path == "beside";
                    assert!(tree.keys().all(|path| is_moved(path)), "{context}");
                    assert!(
                        text("moved/file").is_some_and(|text| text == last || text == version("old", 0)),
                        "{context}"
                    );
                }
            }
        }
    }
}

/// All at once, as often as `RACE_ROUNDS` says.
#[test]
fn other_programs_race_with_writes_and_syncs() {
    let rounds = std::env::var("RACE_ROUNDS").map_or(50, |rounds| rounds.parse().expect("RACE_ROUNDS is a number"));
    const FILES: usize = 5;
    let folder = Folder::with([("beside", "untouched")]);
    let mut guest = block_on(Fixture::mounted(&folder));
    let mut kinds = [0; 4];
    for round in 0..rounds {
        let _ = fs::remove_dir_all(folder.path().join("moved"));
        for number in 0..FILES {
            folder.write(&format!("d/{number}"), &version("old", round));
        }
        // Each file has an act; the last, one on all of the directory in some rounds.
        let acts: Vec<_> = (0..FILES).map(|number| ACTS[(number * 7 + round) % 3]).collect();
        let directory = [None, None, Some(Act::RemoveDirectory), Some(Act::MoveDirectory)][round % 4];
        let (mine, theirs) = (version("guest", round), version("outside", round));
        let start = Barrier::new(2);
        let (written, acted) = std::thread::scope(|scope| {
            let others = scope.spawn(|| {
                start.wait();
                let mut acted = Vec::new();
                for (number, act) in acts.iter().enumerate().skip(1) {
                    acted.push(act.act(&folder.path(), &number.to_string(), &theirs));
                }
                if let Some(act) = directory {
                    // A name that the guest makes meanwhile keeps a directory from being removed.
                    while !act.act(&folder.path(), "", "") {}
                }
                acted
            });
            start.wait();
            let written = block_on(async {
                let mut written = Vec::new();
                for number in 0..FILES {
                    let path = format!("/local/d/{number}");
                    let done = match guest.open(&path, OpenFlags::empty(), read_write()).await {
                        Ok(file) => {
                            let done = guest.pwrite(file, mine.as_bytes(), 0).await.map(drop);
                            guest.drop(file).await;
                            done
                        }
                        Err(error) => Err(error),
                    };
                    written.push(done);
                    if number % 2 == 0 {
                        guest.sync("/local").await.unwrap();
                    }
                }
                guest.sync("/local").await.unwrap();
                written
            });
            (written, others.join().expect("the others do not panic"))
        });
        let tree = folder.tree();
        let context = format!("round {round}, {acts:?} and {directory:?}: {written:?} {acted:?} {tree:?}");
        assert_eq!(tree["beside"], "untouched", "{context}");
        let place = match directory {
            Some(Act::RemoveDirectory) => {
                assert_eq!(tree.len(), 1, "{context}");
                continue;
            }
            Some(_) => "moved",
            None => "d",
        };
        for number in 0..FILES {
            let now = tree.get(&format!("{place}/{number}")).map(String::as_str);
            match &written[number] {
                Ok(()) => {}
                Err(error) => assert!(matches!(error, ErrorCode::NoEntry), "{context}"),
            }
            let done = number > 0 && acted[number - 1];
            let may_be: &[Option<&str>] = match (acts[number], done, written[number].is_ok()) {
                // Nobody else was there.
                (_, false, true) => &[Some(&mine)],
                (Act::Remove, true, _) => &[None],
                (_, true, true) => &[Some(&mine), Some(&theirs)],
                (_, true, false) => &[Some(&theirs)],
                (_, false, false) => &[Some(&version("old", round))],
            };
            let index = may_be.iter().position(|text| *text == now);
            assert!(index.is_some(), "{number} is {now:?}: {context}");
            kinds[usize::from(now.is_none()) * 2 + usize::from(now == Some(&theirs))] += 1;
        }
        let names = tree.keys().filter(|path| path.starts_with("d/") || path.starts_with("moved/")).count();
        assert!(names <= FILES, "{context}");
    }
    println!("{rounds} rounds: the guest's {}, another's {}, removed {}", kinds[0], kinds[1], kinds[2]);
    match block_on(guest.unmount("/local")) {
        Ok(report) => assert_eq!(report.failures.len(), 0),
        Err(MountError::Incomplete(report)) => panic!("{:?}", report.failures),
        Err(error) => panic!("{error:?}"),
    }
}

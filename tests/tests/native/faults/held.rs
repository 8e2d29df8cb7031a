//! A call that never returns, as on a network drive that is gone. It cannot be taken back; all else goes on.

use crate::cli::Account;
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept};
use mountfs_tests::faults::{Faults, Plan};
use mountfs_tests::{ErrorCode, Fixture, Folder, block_on};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

/// Which call of this work writes to a file.
fn write_among(faults: &Faults, work: impl FnOnce() + Send) -> usize {
    faults.plan(Plan::None);
    faults.under(work);
    faults.calls().iter().position(|call| call.name == "pwrite64").expect("it writes") + 1
}

#[test]
fn while_a_call_does_not_return_others_work_and_the_folder_can_be_revoked() {
    let (folder, other) = (Folder::with([("file", "old")]), Folder::with([("file", "other")]));
    let faults = Faults::over(&folder.path());
    let work = || block_on(async { Fixture::mounted(&folder).await.write("/local/file", "old").await.unwrap() });
    faults.plan(Plan::Hold(write_among(&faults, work)));
    let work = async || {
        let (mut guest, mut beside) = (Fixture::mounted(&folder).await, Fixture::mounted(&other).await);
        let control = guest.control.clone();
        let meanwhile = async {
            let held = faults.clone();
            tokio::task::spawn_blocking(move || held.wait_until_held()).await.map(|held| assert!(held)).unwrap();
            assert_eq!(beside.read("/local/file").await.unwrap(), "other");
            beside.write("/local/file", "written").await.unwrap();
            assert_eq!(beside.sync("/local").await.unwrap().files, 1);
            assert!(control.revoke(&GrantKey::new("/local", "mountfs")).unwrap());
            faults.release();
        };
        let (written, ()) = tokio::join!(guest.write("/local/file", "new"), meanwhile);
        // It was let through before.
        written.unwrap();
        assert!(matches!(guest.write("/local/file", "lost").await, Err(ErrorCode::NoDevice)));
    };
    faults.under(|| block_on(work()));
    assert_eq!((folder.read("file"), other.read("file")), ("new".into(), "written".into()));
}

#[test]
fn while_a_call_does_not_return_a_command_can_be_ended_and_another_can_revoke() {
    let (folder, account) = (Folder::new(), Account::new());
    let faults = Faults::over(&folder.path());
    let work = || assert!(account.writes_in(&folder).status().unwrap().success());
    let write = write_among(&faults, work);
    let store = FileStore::new(account.store());
    let grant = store.put(Kept::new("app", GrantKey::new("/local", "a"), folder.path(), Access::Read)).unwrap();
    faults.plan(Plan::Hold(write));
    let ended = faults.under(|| {
        let mut command = account.writes_in(&folder).spawn().unwrap();
        assert!(faults.wait_until_held());
        let revoke = account.mountfs().args(["grants", "revoke", "/local", "--id", "a"]).output().unwrap();
        assert!(revoke.status.success(), "{}", String::from_utf8_lossy(&revoke.stderr));
        assert!(!store.is_kept(&grant).unwrap());
        // As Ctrl-C does, which what runs in the background may have been started without.
        assert!(Command::new("kill").args(["-TERM", &command.id().to_string()]).status().unwrap().success());
        command.wait().unwrap()
    });
    assert_eq!(ended.signal(), Some(libc::SIGTERM));
    assert_eq!(folder.read("out.txt"), "", "the write that was held was not done");
}

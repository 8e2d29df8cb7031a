//! Every call of the operating system can fail: then a file is the old or the new one, somebody is told, and doing it
//! again converges. Linux only, for the fault layer.
#![cfg(target_os = "linux")]

mod command;
mod held;
mod script;
mod store;
mod stream;

use mountfs_tests::faults::{Errno, Faults, Plan};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Errors of the operating system, and their names in `wasi:filesystem`; with `FAULTS=all` more of them.
fn errors() -> Vec<(Errno, &'static str)> {
    let mut errors = vec![(libc::EIO, "io"), (libc::ENOSPC, "insufficient-space"), (libc::EACCES, "access")];
    match std::env::var("FAULTS").as_deref() {
        Ok("all") => errors.extend([
            (libc::ENOMEM, "insufficient-memory"),
            (libc::EBUSY, "busy"),
            (libc::EFBIG, "file-too-large"),
            (libc::EMFILE, "io"),
            (libc::ESTALE, "io"),
        ]),
        Ok(other) => panic!("FAULTS may be `all`, not {other:?}"),
        Err(_) => {}
    }
    errors
}

/// Does something again and again, with the fault at each call in turn, until there is no such call.
fn each_call(at: &Path, plan: impl Fn(usize) -> Plan, mut work: impl FnMut(&Faults)) -> usize {
    let mut wrong = Vec::new();
    for number in 1.. {
        let faults = Faults::over(at);
        faults.plan(plan(number));
        // What is wrong says so itself; here, where the fault was.
        if catch_unwind(AssertUnwindSafe(|| work(&faults))).is_err() {
            let call = faults.calls().into_iter().find(|call| call.failed);
            wrong.push(format!(
                "{:?}: {}",
                plan(number),
                call.map_or_else(|| "no call".to_owned(), |call| format!("{} {}", call.name, call.path.display()))
            ));
        }
        if !faults.was_hit() {
            assert!(wrong.is_empty(), "{wrong:#?}");
            return number - 1;
        }
    }
    unreachable!("there are finitely many calls")
}

//! A fault layer under the host: each system call that reaches a folder is counted, and may be failed, or held.
//!
//! The host makes raw system calls, so no library can stand in front of them, and it makes them on several threads, so
//! `strace`, which counts by thread, cannot tell which is the nth. A seccomp filter can: the kernel asks us about each
//! call of a thread, and of all threads and processes it starts, before it does it. It needs Linux 5.5, and no privileges.

mod call;
mod seccomp;

pub use call::{Call, Identity};

use crate::fixture::COMPONENT;
use seccomp::{Listener, Notice};
use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, mpsc};
use std::thread;

/// An error of the operating system, as its number.
pub type Errno = i32;

/// What is done to the calls that reach the folder; the first is number 1.
#[derive(Clone, Copy, Debug, Default)]
pub enum Plan {
    /// All are let through.
    #[default]
    None,
    /// This one fails.
    One(usize, Errno),
    /// This one fails, and all after it.
    From(usize, Errno),
    /// The first so many of those that make a file or a directory durable fail.
    Fsyncs(usize, Errno),
    /// This one does not return until it is released.
    Hold(usize),
}

/// The calls that reach one folder. Clones share what they count.
#[derive(Clone)]
pub struct Faults {
    folder: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    held: Condvar,
    /// To a thread that is not under the plan.
    aside: Mutex<Option<mpsc::Sender<Work>>>,
}

type Work = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    plan: Plan,
    calls: Vec<Call>,
    held: Option<(Arc<Listener>, Notice)>,
    /// Whether the work has.
    ended: bool,
}

/// However the work ends, nobody waits for it, and it holds nothing.
struct Ended<'a>(&'a Faults);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.release();
        self.0.state().ended = true;
        self.0.shared.held.notify_all();
        *self.0.aside_thread() = None;
    }
}

impl Faults {
    /// Nothing is done yet.
    pub fn over(folder: &Path) -> Self {
        let folder = folder.canonicalize().expect("the folder is there");
        Self { folder, shared: Arc::default() }
    }

    /// Does something on a thread whose calls, and those of all that it starts, are under the plan. What should not be
    /// has to be started before.
    pub fn under<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        // Its threads would be under the filter for ever.
        LazyLock::force(&COMPONENT);
        thread::scope(|scope| {
            let (works, aside) = mpsc::channel::<Work>();
            scope.spawn(move || aside.into_iter().for_each(|work| work()));
            *self.aside_thread() = Some(works);

            let (send, receive) = mpsc::channel();
            let worker = scope.spawn(move || {
                send.send(Listener::on_this_thread()).expect("it is waited for");
                let _ended = Ended(self);
                work()
            });
            let listener = receive.recv().expect("it is sent first");
            match listener {
                Ok(listener) => self.supervise(&Arc::new(listener)),
                Err(error) => panic!("the kernel lets nobody listen to system calls here: {error}"),
            }
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// From now on this is done, and calls are counted from 1.
    pub fn plan(&self, plan: Plan) {
        let mut state = self.state();
        *state = State { plan, ..State::default() };
    }

    /// Lets all through again; what was counted stays.
    pub fn lift(&self) {
        self.state().plan = Plan::None;
    }

    /// Whether calls fail from now on.
    pub fn fails_on(&self) -> bool {
        let State { plan, calls, .. } = &*self.state();
        matches!(plan, Plan::From(number, _) if *number <= calls.len() + 1)
    }

    /// Does something that is neither counted nor failed, from [under](Self::under) the plan.
    pub fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (send, receive) = mpsc::channel();
        let work = Box::new(move || send.send(work()).expect("it is waited for"));
        self.aside_thread().as_ref().expect("it is under the plan").send(work).expect("the thread is there");
        receive.recv().expect("the work does not panic")
    }

    /// The calls since the plan was made.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Whether the plan came to pass.
    pub fn was_hit(&self) -> bool {
        self.state().calls.iter().any(|call| call.failed)
    }

    /// Waits until a call is held; whether one is. `false` when all has [ended](Self::under) without it.
    pub fn wait_until_held(&self) -> bool {
        let waits = |state: &mut State| state.held.is_none() && !state.ended;
        let state = self.shared.held.wait_while(self.state(), waits).expect("nobody panicked holding it");
        state.held.is_some()
    }

    /// Lets the call that is held go on, if one is.
    pub fn release(&self) {
        if let Some((listener, notice)) = self.state().held.take() {
            listener.answer(&notice, None);
        }
    }

    /// Of the calls since the plan was made: files written and directories changed that no fsync followed, and that are
    /// still in the folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be listed.
    pub fn undurable(&self) -> io::Result<Vec<PathBuf>> {
        let mut changed = HashSet::new();
        for Call { changes, fsyncs, failed, .. } in self.calls() {
            if !failed {
                changed.extend(changes);
                fsyncs.map(|file| changed.remove(&file));
            }
        }
        let mut undurable = Vec::new();
        let mut ahead = vec![self.folder.clone()];
        while let Some(path) = ahead.pop() {
            let metadata = path.symlink_metadata()?;
            if metadata.is_dir() {
                let entries: io::Result<Vec<_>> = path.read_dir()?.collect();
                ahead.extend(entries?.into_iter().map(|entry| entry.path()));
            }
            if changed.contains(&(metadata.dev(), metadata.ino())) {
                undurable.push(path);
            }
        }
        Ok(undurable)
    }

    /// Until all that is under the filter has ended.
    fn supervise(&self, listener: &Arc<Listener>) {
        while let Some(notice) = listener.next() {
            let Some(call) = Call::of(&notice, &self.folder) else {
                listener.answer(&notice, None);
                continue;
            };
            let mut state = self.state();
            let number = state.calls.len() + 1;
            let errno = match state.plan {
                Plan::One(n, errno) if n == number => Some(errno),
                Plan::From(n, errno) if n <= number => Some(errno),
                Plan::Fsyncs(count, errno) if call.fsyncs.is_some() && count > fsyncs(&state.calls) => Some(errno),
                Plan::Hold(n) if n == number => {
                    state.calls.push(call);
                    state.held = Some((listener.clone(), notice));
                    self.shared.held.notify_all();
                    continue;
                }
                _ => None,
            };
            let call = Call { failed: errno.is_some(), ..call };
            // Nobody cuts the power here, and a real fsync takes longer than all the rest.
            let answer = errno.or(call.fsyncs.map(|_| 0));
            state.calls.push(call);
            drop(state);
            listener.answer(&notice, answer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("nobody panicked holding it")
    }
    fn aside_thread(&self) -> MutexGuard<'_, Option<mpsc::Sender<Work>>> {
        self.shared.aside.lock().expect("nobody panicked holding it")
    }
}

fn fsyncs(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.fsyncs.is_some()).count()
}

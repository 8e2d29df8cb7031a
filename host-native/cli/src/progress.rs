//! Says what takes long: only at a terminal, and only when it does.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long work may take before anything is said.
const MOMENT: Duration = Duration::from_millis(500);

const TICK: Duration = Duration::from_millis(100);

/// While it lives, the user at the terminal sees what is being done, and for how long.
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(crate) fn of(what: String) -> Self {
        let spinner = ProgressBar::new_spinner();
        if spinner.is_hidden() {
            return Self(None);
        }
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})").expect("the template is right");
        let spinner = spinner.with_style(style).with_message(what);
        let (done, waiting) = mpsc::channel();
        let ticks = thread::spawn(move || {
            let mut wait = MOMENT;
            while waiting.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                spinner.tick();
                wait = TICK;
            }
            spinner.finish_and_clear();
        });
        Self(Some((done, ticks)))
    }

    /// Whether there is a terminal to show it at.
    pub(crate) fn is_shown(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, ticks)) = self.0.take() {
            drop(done);
            // The line is cleared before anything else is said.
            let _ = ticks.join();
        }
    }
}

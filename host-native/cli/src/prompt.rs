//! Asks at the terminal.

use crate::folder::expand;
use async_trait::async_trait;
use dialoguer::{Input, Select};
use mountfs_host::{PickError, PickRequest, Picked, Picker};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Whether there is somebody to ask.
pub(crate) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks at the terminal, on standard error, so that the guest's output stays its own.
pub(crate) struct Prompt {
    /// What the user calls the app. The name that grants are kept under has a digest, which tells people nothing.
    pub(crate) app: String,
}

#[async_trait]
impl Picker for Prompt {
    async fn pick(&self, request: PickRequest) -> Result<Picked, PickError> {
        let app = short(&self.app);
        let asked = tokio::task::spawn_blocking(move || ask(&app, &request)).await;
        asked.map_err(|error| PickError::Other(error.to_string()))?
    }
}

/// Nothing that was typed before a question was shown answers it, and nothing that the app wrote hides it.
fn begin() {
    #[cfg(unix)]
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
    // Soft reset, and plain text (DECSTR, SGR 0).
    let _ = std::io::stderr().write_all(b"\x1b[!p\x1b[0m");
}

fn ask(app: &str, request: &PickRequest) -> Result<Picked, PickError> {
    begin();
    tell!("\n{app} asks for a folder of yours.");
    tell!("  it would see the folder at   {} (id {})", short(&request.key.path), short(&request.key.id));
    tell!("  and could, in all of it,     {}", request.access);
    let folder = match &request.known {
        Some(folder) => folder.clone(),
        None => ask_folder()?,
    };
    // A guest may have named a folder in one that it was given.
    let shown = folder.display().to_string().escape_debug().to_string();
    begin();
    let choice = Select::new()
        .with_prompt(format!("Let it {} in {shown}? (arrow keys, then Enter)", request.access))
        .items(["no", "yes, this time", "yes, and each time: every script that it runs gets the folder"])
        .default(0)
        .interact_opt();
    match choice {
        Ok(Some(0)) => Err(PickError::Denied),
        Ok(Some(answer)) => Ok(Picked { folder, keep: answer == 2 }),
        Ok(None) | Err(_) => Err(PickError::Cancelled),
    }
}

fn ask_folder() -> Result<PathBuf, PickError> {
    let check = |text: &String| match text.trim() {
        "" => Ok(()),
        text if expand(text).is_dir() => Ok(()),
        text => Err(format!("{} is not a folder", expand(text).display())),
    };
    let answer = Input::new()
        .with_prompt("Which folder? (nothing for none)")
        .allow_empty(true)
        .validate_with(check)
        .interact_text();
    match answer.as_deref().map(str::trim) {
        Ok("") | Err(_) => Err(PickError::Cancelled),
        Ok(text) => Ok(std::path::absolute(expand(text)).unwrap_or_else(|_| expand(text))),
    }
}

/// What a guest or an embedder wrote, on one line of a terminal, with nothing in it that moves the cursor.
fn short(text: &str) -> String {
    let escaped: String = text.escape_debug().collect();
    match escaped.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}

/// Refuses, and tells the user how to say yes.
pub(crate) struct RefuseAloud {
    pub(crate) app: String,
    pub(crate) why: &'static str,
    /// The ids that folders were granted for.
    pub(crate) given: Vec<String>,
}

#[async_trait]
impl Picker for RefuseAloud {
    async fn pick(&self, request: PickRequest) -> Result<Picked, PickError> {
        let PickRequest { key, access, .. } = &request;
        let (app, id) = (short(&self.app), key.id.escape_debug());
        tell!("mountfs: {app} asked to {access} in a folder at {key} and was refused: {}.", self.why);
        if !self.given.is_empty() && !self.given.contains(&key.id) {
            tell!("mountfs: you gave `{}`; it asked for `{id}`", self.given.join("`, `"));
        }
        tell!("mountfs: to allow it, run it with --grant {id}=FOLDER");
        Err(PickError::Denied)
    }
}

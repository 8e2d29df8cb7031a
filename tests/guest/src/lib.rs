//! The guest of the cases. It does what a step says through `wasi:filesystem` and `mounts`, as a libc and an interpreter
//! would, so that the same code asks the same of each host.
#![cfg(target_family = "wasm")]

mod bindings {
    #![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
    #[cfg(not(feature = "direct"))]
    wit_bindgen::generate!({ path: ["../../wit", "wit"], world: "mountfs:cases/guest", generate_all });
    #[cfg(feature = "direct")]
    wit_bindgen::generate!({ path: ["../../wit", "wit"], world: "mountfs:cases/direct", generate_all });
    export!(Guest with_types_in self);
    use super::Guest;
}
mod files;
#[cfg_attr(feature = "direct", path = "granting.rs")]
mod mounting;

use bindings::mountfs::fs::types::Error as MountError;
use bindings::wasi::filesystem::types::ErrorCode;
use std::num::ParseIntError;

struct Guest;

/// What a step answers.
type Done = Result<Vec<String>, Fault>;

/// Why a step has no answer.
enum Fault {
    /// It failed with this error, by name.
    Failed(String),
    /// The case asks for something that there is not.
    Case(String),
}

impl From<ErrorCode> for Fault {
    fn from(code: ErrorCode) -> Self {
        Self::Failed(code.name().to_owned())
    }
}

impl From<MountError> for Fault {
    fn from(error: MountError) -> Self {
        let name = match error {
            MountError::InvalidPath(_) => "invalid-path",
            MountError::InvalidId(_) => "invalid-id",
            MountError::NotMounted => "not-mounted",
            MountError::AlreadyMounted(_) => "already-mounted",
            MountError::Busy => "busy",
            MountError::Cancelled => "cancelled",
            MountError::Denied => "denied",
            MountError::NeedsUserActivation => "needs-user-activation",
            MountError::Unsupported(_) => "unsupported",
            MountError::Incomplete(_) => "incomplete",
            MountError::Other(_) => "other",
        };
        Self::Failed(name.to_owned())
    }
}

impl From<ParseIntError> for Fault {
    fn from(error: ParseIntError) -> Self {
        Self::Case(error.to_string())
    }
}

impl bindings::exports::mountfs::cases::steps::Guest for Guest {
    fn step(verb: String, words: Vec<String>) -> Result<Result<Vec<String>, String>, String> {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match mounting::step(&verb, &words).unwrap_or_else(|| files::step(&verb, &words)) {
            Ok(answer) => Ok(Ok(answer)),
            Err(Fault::Failed(error)) => Ok(Err(error)),
            Err(Fault::Case(why)) => Err(why),
        }
    }
}

//! What `mountfs doctor` looks at. No check changes anything.

pub(crate) mod app;
pub(crate) mod machine;

use serde::Serialize;
use serde_json::Value;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Something does not work until it is put right.
    Problem,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        })
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) about: &'static str,
    pub(crate) status: Status,
    pub(crate) says: String,
    /// What to do: always there for a problem.
    pub(crate) todo: Option<String>,
    /// The same as data.
    pub(crate) facts: Value,
}

impl Check {
    fn ok(about: &'static str, says: impl Into<String>, facts: Value) -> Self {
        Self { about, status: Status::Ok, says: says.into(), todo: None, facts }
    }

    fn note(about: &'static str, says: impl Into<String>, todo: impl Into<String>, facts: Value) -> Self {
        Self { about, status: Status::Note, says: says.into(), todo: Some(todo.into()), facts }
    }

    fn problem(about: &'static str, says: impl Into<String>, todo: impl Into<String>, facts: Value) -> Self {
        Self { about, status: Status::Problem, says: says.into(), todo: Some(todo.into()), facts }
    }
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..0x400 => format!("{bytes} bytes"),
        0x400..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

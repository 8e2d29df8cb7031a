//! `--limit`: what the app may use at a time.

use mountfs_host::Limits;
use std::str::FromStr;
use wasmtime::ResourceLimiter;

/// What of WASI an app may have open at a time besides files, such as what it waits for.
pub(crate) const MOST_RESOURCES: usize = 1 << 16;

/// Bytes of an entry of a table, about.
const ENTRY: usize = 8;

/// One `--limit NAME=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    Memory(usize),
    Descriptors(usize),
    Mounts(usize),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE: memory=512M, say")?;
        let limit = match name {
            "memory" => return bytes(value).map(Self::Memory),
            "descriptors" => Self::Descriptors,
            "mounts" => Self::Mounts,
            _ => return Err(format!("there is no limit {name:?}: memory, descriptors and mounts are")),
        };
        value.parse().map(limit).map_err(|_| format!("{value:?} is no count"))
    }
}

/// `512M`, also as `512MB` and `512MiB`: K, M and G are powers of 1024.
fn bytes(text: &str) -> Result<usize, String> {
    let no_size = || format!("{text:?} is no size: write bytes, or 64K, 512M, 2G");
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit);
    let shift = match unit {
        "" => 0,
        "K" | "KB" | "KiB" => 10,
        "M" | "MB" | "MiB" => 20,
        "G" | "GB" | "GiB" => 30,
        _ => return Err(no_size()),
    };
    let bytes = digits.parse::<usize>().ok().and_then(|count| count.checked_mul(1 << shift));
    bytes.ok_or_else(no_size)
}

/// The limits of the host library, with those given.
pub(crate) fn of_host(given: &[Limit]) -> Limits {
    given.iter().fold(Limits::default(), |limits, given| match *given {
        Limit::Descriptors(descriptors) => Limits { descriptors, ..limits },
        Limit::Mounts(mounts) => Limits { mounts, ..limits },
        Limit::Memory(_) => limits,
    })
}

/// What the memories and tables of an app take together.
pub(crate) struct Memory {
    most: usize,
    taken: usize,
    /// What the app would have had at the first refusal.
    refused: Option<usize>,
}

impl Memory {
    /// As given; else what 32-bit WebAssembly can have, and the machine.
    pub(crate) fn new(given: &[Limit]) -> Self {
        let of = |limit: &Limit| if let Limit::Memory(bytes) = limit { Some(*bytes) } else { None };
        Self { most: given.iter().rev().find_map(of).unwrap_or(usize::MAX), taken: 0, refused: None }
    }

    /// What the app needs at least, when it has been refused some.
    pub(crate) fn needed(&self) -> Option<usize> {
        self.refused
    }

    fn take(&mut self, bytes: usize) -> bool {
        let taken = self.taken.saturating_add(bytes);
        if taken > self.most {
            tracing::info!("refused the app {bytes} more bytes of memory: its --limit is met");
            self.refused.get_or_insert(taken);
            return false;
        }
        self.taken = taken;
        true
    }
}

/// Whether wasmtime will grow it: it asks before it looks at what a memory or table says of itself, as allocators try, and
/// what was not grown is not to be counted.
fn fits(desired: usize, most: Option<usize>) -> bool {
    most.is_none_or(|most| desired <= most)
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        Ok(fits(desired, most) && self.take(desired.saturating_sub(current)))
    }

    fn table_growing(&mut self, current: usize, desired: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        Ok(fits(desired, most) && self.take(desired.saturating_sub(current).saturating_mul(ENTRY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_memory_cannot_have_is_not_counted() {
        let mut memory = Memory::new(&[Limit::Memory(1000)]);
        for _ in 0..10 {
            assert!(!memory.memory_growing(100, 500, Some(400)).unwrap());
        }
        assert_eq!(memory.needed(), None);
        assert!(memory.memory_growing(100, 400, Some(400)).unwrap());
        assert!(!memory.memory_growing(0, 1000, None).unwrap());
        assert_eq!(memory.needed(), Some(1300));
    }

    #[test]
    fn sizes_are_written_as_people_write_them() {
        let sizes = [("4096", 4096), ("64K", 64 << 10), ("512M", 512 << 20), ("512MB", 512 << 20), ("2GiB", 2 << 30)];
        for (text, bytes) in sizes {
            assert_eq!(format!("memory={text}").parse(), Ok(Limit::Memory(bytes)));
        }
        for text in ["", "M", "1.5G", "-1", "1T", "1MM", "99999999999999G"] {
            assert!(format!("memory={text}").parse::<Limit>().unwrap_err().contains("no size"), "{text}");
        }
    }
}

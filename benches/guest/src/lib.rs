//! The guest of the measurements. It calls `wasi:filesystem` as a libc does, and nothing else, so that what is measured
//! is the way to the host and back.
#![cfg(target_family = "wasm")]

mod bindings {
    #![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
    wit_bindgen::generate!({ path: ["../../wit", "wit"], world: "mountfs:benches/guest", generate_all });
    export!(Guest with_types_in self);
    use super::Guest;
}

use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use bindings::wasi::io::streams::StreamError;
use std::cell::RefCell;

struct Guest;

/// What the operations work on, open.
struct Open {
    /// The preopen that a libc finds for `/local/…`, and the rest of the path.
    base: Descriptor,
    prefix: &'static str,
    file: Descriptor,
}

thread_local! {
    static OPEN: RefCell<Option<Open>> = const { RefCell::new(None) };
}

static BLOCK: [u8; 1 << 20] = [120; 1 << 20];

/// Files and their size, made once.
const FILE: (&str, usize) = ("file", 1 << 20);

/// Names in the directory that is listed.
const NAMES: usize = 1000;

impl Open {
    fn new() -> Self {
        let mut preopens = preopens::get_directories();
        // A libc takes the longest that fits.
        let at = preopens.iter().position(|(_, name)| name == "/local").unwrap_or(0);
        let (base, name) = preopens.swap_remove(at);
        let prefix = if name == "/local" { "" } else { "local/" };
        let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let path = format!("{prefix}{}", FILE.0);
        let file = base.open_at(PathFlags::empty(), &path, OpenFlags::CREATE, flags).expect("a file");
        Self { base, prefix, file }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn open(&self, name: &str, how: OpenFlags, flags: DescriptorFlags) -> Descriptor {
        self.base.open_at(PathFlags::SYMLINK_FOLLOW, &self.path(name), how, flags).expect("it opens")
    }

    fn make(&self, name: &str) {
        drop(self.open(name, OpenFlags::CREATE, DescriptorFlags::READ | DescriptorFlags::WRITE));
    }

    fn prepare(&self, operation: &str) {
        if operation.starts_with("read") {
            let mut offset = 0;
            while offset < FILE.1 as u64 {
                offset += self.file.write(&BLOCK[..FILE.1 - offset as usize], offset).expect("written");
            }
        }
        if operation.starts_with("list") {
            let _ = self.base.create_directory_at(&self.path("names"));
            (0..NAMES).for_each(|number| self.make(&format!("names/a name of usual length {number}")));
        }
        if operation == "rename" {
            self.make("a");
        }
    }

    fn once(&self, operation: &str) {
        let (read, none) = (DescriptorFlags::READ, OpenFlags::empty());
        match operation {
            "read 4 KiB" => self.read(4 << 10),
            "read 64 KiB" => self.read(64 << 10),
            "read 1 MiB" => self.read(1 << 20),
            "write 4 KiB" => self.write(4 << 10),
            "write 64 KiB" => self.write(64 << 10),
            "write 1 MiB" => self.write(1 << 20),
            "read 4 KiB of a stream" => self.read_stream(4 << 10),
            "read 64 KiB of a stream" => self.read_stream(64 << 10),
            "write 4 KiB to a stream" => {
                self.file
                    .write_via_stream(0)
                    .expect("a stream")
                    .blocking_write_and_flush(&BLOCK[..4 << 10])
                    .expect("written");
            }
            "open and close" => drop(self.open(FILE.0, none, read)),
            "stat" => {
                self.base.stat_at(PathFlags::SYMLINK_FOLLOW, &self.path(FILE.0)).expect("it is there");
            }
            "fstat" => {
                self.file.stat().expect("it is open");
            }
            "list 1,000 names" => drop(self.list()),
            "list and stat 1,000" => {
                for name in self.list() {
                    let path = self.path(&format!("names/{name}"));
                    self.base.stat_at(PathFlags::empty(), &path).expect("it is there");
                }
            }
            "rename" => {
                for (from, to) in [("a", "b"), ("b", "a")] {
                    self.base.rename_at(&self.path(from), &self.base, &self.path(to)).expect("renamed");
                }
            }
            "create and unlink" => {
                self.make("new");
                self.base.unlink_file_at(&self.path("new")).expect("it was made");
            }
            _ => panic!("there is no operation {operation}"),
        }
    }

    fn read(&self, length: u64) {
        let mut done = 0;
        while done < length {
            done += self.file.read(length - done, done).expect("read").0.len() as u64;
        }
    }

    fn write(&self, length: usize) {
        let mut done = 0;
        while done < length {
            done += self.file.write(&BLOCK[done..length], done as u64).expect("written") as usize;
        }
    }

    fn read_stream(&self, length: u64) {
        let stream = self.file.read_via_stream(0).expect("a stream");
        let mut done = 0;
        while done < length {
            match stream.blocking_read(length - done) {
                Ok(bytes) => done += bytes.len() as u64,
                Err(StreamError::Closed) => break,
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    fn list(&self) -> Vec<String> {
        let directory = self.open("names", OpenFlags::DIRECTORY, DescriptorFlags::READ);
        let entries = directory.read_directory().expect("a listing");
        let mut names = Vec::new();
        while let Some(entry) = entries.read_directory_entry().expect("an entry") {
            names.push(entry.name);
        }
        names
    }
}

impl bindings::exports::mountfs::benches::work::Guest for Guest {
    fn prepare(operation: String) {
        OPEN.with_borrow_mut(|open| open.get_or_insert_with(Open::new).prepare(&operation));
    }

    fn repeat(operation: String, times: u32) {
        OPEN.with_borrow(|open| {
            let open = open.as_ref().expect("it was prepared");
            (0..times).for_each(|_| open.once(&operation));
        });
    }
}

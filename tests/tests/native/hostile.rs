//! A hostile guest: random calls with hostile paths and sizes, while another program puts links where directories were.
//! Nothing leads out, nothing traps, and the guest is served to the end. `FUZZ_OPS` says how many, `FUZZ_SEED` which.

use mountfs_tests::Folder;
use mountfs_tests::case::Step;
use mountfs_tests::steps::Guest;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Parts of paths that mean harm, beside a few that are there.
const PARTS: [&str; 25] = [
    "..",
    "..",
    "..",
    ".",
    "",
    "file",
    "d",
    "new",
    "swap",
    "swap",
    "up",
    "secret",
    "inside",
    "absolute",
    "loop",
    "proc",
    "fifo",
    "COM1",
    "com¹",
    "aux.txt",
    "c:",
    "\\",
    "..\\secret",
    "\0",
    "\u{202e}txt.exe",
];

fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        30 => prop::sample::select(PARTS.to_vec()).prop_map(str::to_owned),
        1 => (1..300usize).prop_map(|length| "x".repeat(length)),
    ];
    let parts =
        prop_oneof![20 => prop::collection::vec(part.clone(), 1..7), 1 => prop::collection::vec(part, 100..3000)];
    let base = prop::sample::select(vec!["/local/", "/local/", "@a/", "@b/", "@c/", "/", "//", "/local/../local/"]);
    (base, parts, prop::bool::weighted(0.2))
        .prop_map(|(base, parts, slash)| quoted(&format!("{base}{}{}", parts.join("/"), if slash { "/" } else { "" })))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

fn size() -> impl Strategy<Value = u64> {
    let edges =
        vec![0, 1, 4095, 4096, 65_536, u64::from(u32::MAX), 1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX];
    prop_oneof![prop::sample::select(edges), 0..100_000u64]
}

fn line() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    let flags = prop::sample::subsequence(
        vec!["read", "write", "create", "exclusive", "truncate", "directory", "nofollow"],
        0..=4,
    );
    prop_oneof![
        12 => (name(), path(), flags).prop_map(|(name, path, flags)| format!("open {name} {path} {}", flags.join(" "))),
        3 => (name(), path()).prop_map(|(name, path)| format!("open {name} {path} directory")),
        2 => name().prop_map(|name| format!("close {name}")),
        4 => (name(), size(), size()).prop_map(|(name, offset, length)| format!("pread @{name} {offset} {length}")),
        3 => (name(), size()).prop_map(|(name, offset)| format!("write @{name} {offset} x")),
        2 => (name(), size()).prop_map(|(name, size)| format!("resize @{name} {size}")),
        2 => (name(), name(), prop::sample::select(vec!["reading", "writing", "appending"]))
            .prop_map(|(stream, name, kind)| format!("stream {stream} @{name} {kind}")),
        2 => (name(), size()).prop_map(|(stream, length)| format!("pull {stream} {length}")),
        2 => name().prop_map(|stream| format!("push {stream} x")),
        1 => (name(), path()).prop_map(|(name, path)| format!("listing {name} {path}")),
        1 => name().prop_map(|name| format!("next {name}")),
        2 => path().prop_map(|path| format!("list {path}")),
        3 => path().prop_map(|path| format!("stat {path}")),
        2 => path().prop_map(|path| format!("lstat {path}")),
        3 => path().prop_map(|path| format!("mkdir {path}")),
        2 => path().prop_map(|path| format!("rmdir {path}")),
        2 => path().prop_map(|path| format!("unlink {path}")),
        4 => (path(), path()).prop_map(|(from, to)| format!("rename {from} {to}")),
        2 => (path(), path()).prop_map(|(from, to)| format!("link {from} {to}")),
        3 => (path(), path()).prop_map(|(target, path)| format!("symlink {target} {path}")),
        2 => path().prop_map(|path| format!("readlink {path}")),
        2 => (path(), size(), size()).prop_map(|(path, seconds, nanoseconds)| format!("touch {path} {seconds} {nanoseconds}")),
        1 => (name(), size(), size()).prop_map(|(name, seconds, nanos)| format!("touch @{name} {seconds} {nanos}")),
        1 => (path(), path()).prop_map(|(one, other)| format!("same {one} {other}")),
        1 => name().prop_map(|name| format!("fsync @{name}")),
        1 => path().prop_map(|path| format!("mount {path}")),
        1 => Just("sync /local".to_owned()),
    ]
}

/// What the guest finds, made anew when it has taken too much of it away.
fn furnish(folder: &Path) {
    let _ = fs::create_dir(folder.join("d"));
    let _ = fs::write(folder.join("file"), "text");
    for (target, link) in
        [("..", "up"), ("../secret", "secret"), ("/", "absolute"), ("loop", "loop"), ("/proc/self", "proc")]
    {
        let _ = symlink(target, folder.join(link));
    }
}

/// Puts a link out of the folder in the place of a directory, and back, as fast as it can.
fn swap(folder: &Path, stop: &AtomicBool) {
    let [swap, directory, link] = ["swap", "swap.directory", "swap.link"].map(|name| folder.join(name));
    while !stop.load(Ordering::Relaxed) {
        let _ = fs::create_dir(&directory);
        let _ = fs::rename(&directory, &swap);
        let _ = fs::rename(&swap, &directory);
        let _ = symlink("..", &link);
        let _ = fs::rename(&link, &swap);
        let _ = fs::remove_file(&swap);
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

async fn fuzz(mut guest: Guest) {
    let (ops, seed) = (number("FUZZ_OPS", 3_000), number("FUZZ_SEED", 1));
    let folder = Folder::new();
    fs::write(folder.path().with_file_name("only-beside"), "").unwrap();
    let beside = folder.beside();
    let config = Config { rng_algorithm: RngAlgorithm::XorShift, rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let lines = line();
    guest.user_chooses(Some(folder.path()));
    guest.step("mount", &["/local"]).await.unwrap().unwrap();

    let stop = AtomicBool::new(false);
    let mut answered = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| swap(&folder.path(), &stop));
        // Also when an assertion fails, so that the thread ends.
        let _stop = OnDrop(|| stop.store(true, Ordering::Relaxed));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for number in 0..ops {
                    if number % 100 == 0 {
                        furnish(&folder.path());
                    }
                    let line = lines.new_tree(&mut runner).expect("a line").current();
                    let Step { verb, words, .. } = Step::parse(&line).expect("it is a step");
                    let words: Vec<_> = words.iter().map(String::as_str).collect();
                    // What names nothing that is open is no step; anything else is a trap.
                    match guest.step(&verb, &words).await {
                        Ok(Ok(answer)) => {
                            answered += 1;
                            // What is written beside it, its name, and what stands in every /etc/passwd.
                            let outside = ["the secret", "only-beside", "root:"];
                            let leaked = answer.iter().any(|word| outside.iter().any(|text| word.contains(text)));
                            assert!(!leaked, "`{line}` of seed {seed} read it: {answer:?}");
                        }
                        Ok(Err(_)) => {}
                        Err(error) => {
                            let is_case = error.downcast_ref::<wasmtime::Trap>().is_none()
                                && error.root_cause().to_string().contains("is open as")
                                || error.to_string().contains("is mounted above");
                            assert!(is_case, "`{line}` of seed {seed}: {error:#}");
                        }
                    }
                }
            });
        });
    });
    assert_eq!(folder.beside(), beside, "seed {seed}");
    assert!(answered > ops / 20, "only {answered} of {ops} calls came to something");
    furnish(&folder.path());
    guest.step("sync", &["/local"]).await.expect("no trap").expect("a sync");
    println!("{ops} calls from seed {seed}, {answered} of them with success");
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_leads_out_and_nothing_traps() {
    fuzz(Guest::new().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_leads_out_and_nothing_traps_also_past_the_component() {
    fuzz(Guest::direct().await.unwrap()).await;
}

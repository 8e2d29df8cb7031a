//! A guest past the component, which calls the host's own interfaces: access, confinement, revocation and limits are the
//! host's.

use mountfs_host::Limits;
use mountfs_tests::Folder;
use mountfs_tests::case::Step;
use mountfs_tests::steps::Guest;

async fn mounted(folder: &Folder, options: &[&str]) -> Guest {
    let mut guest = Guest::direct().await.unwrap();
    guest.user_chooses(Some(folder.path()));
    guest.step("mount", &[&["/local"], options].concat()).await.unwrap().unwrap();
    guest
}

/// Does a line; what it answers, or the name of its error.
async fn does(guest: &mut Guest, line: &str) -> Result<Vec<String>, String> {
    let Step { verb, words, .. } = Step::parse(line).unwrap();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    guest.step(&verb, &words).await.unwrap()
}

/// Every method of `descriptor` that changes something, on paths and on descriptors.
const CHANGES: [&str; 26] = [
    "open x /local/file write",
    "open x /local/file read write",
    "open x /local/file truncate",
    "open x /local/file read truncate",
    "open x /local/new create",
    "open x /local/new read create",
    "open x /local/new write create exclusive",
    "open x /local/file read create truncate",
    "open x /local/link write",
    "open x @d/other write",
    "write @f 0 x",
    "resize @f 0",
    "append @f x",
    "stream s @f writing",
    "stream s @f appending",
    "touch @f 1",
    "touch @d 1",
    "touch /local/file 1",
    "mkdir /local/new",
    "rmdir /local/empty",
    "unlink /local/file",
    "unlink @d/other",
    "rename /local/file /local/new",
    "rename /local/d /local/new",
    "link /local/file /local/new",
    "symlink file /local/new",
];

#[tokio::test]
async fn a_read_only_grant_refuses_each_change_also_past_the_component() {
    let folder = Folder::with([("file", "text"), ("d/other", "other")]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
    let before = folder.everything();
    let mut guest = mounted(&folder, &["access=read"]).await;
    does(&mut guest, "open f /local/file").await.unwrap();
    does(&mut guest, "open d /local/d directory").await.unwrap();
    for line in CHANGES {
        let refused = does(&mut guest, line).await.expect_err(line);
        assert!(["not-permitted", "read-only", "bad-descriptor"].contains(&refused.as_str()), "`{line}`: {refused}");
        assert_eq!(folder.everything(), before, "after `{line}`");
    }
    assert_eq!(does(&mut guest, "read @f 0 9").await.unwrap(), ["text"]);
    assert_eq!(does(&mut guest, "list /local").await.unwrap(), ["d/", "empty/", "file", "link@"]);
}

/// So that the test above means something.
#[tokio::test]
async fn the_same_changes_are_made_with_a_read_write_grant() {
    for line in CHANGES {
        let folder = Folder::with([("file", "text"), ("d/other", "other")]);
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
        let mut guest = mounted(&folder, &[]).await;
        does(&mut guest, "open f /local/file read write").await.unwrap();
        does(&mut guest, "open d /local/d directory").await.unwrap();
        does(&mut guest, line).await.unwrap_or_else(|error| panic!("`{line}`: {error}"));
    }
}

#[tokio::test]
async fn no_path_leads_out_also_past_the_component() {
    let folder = Folder::with([("d/file", "text")]);
    for (link, target) in [("up", ".."), ("secret", "../secret"), ("absolute", "/"), ("d/up", "../..")] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
    }
    let beside = folder.beside();
    let mut guest = mounted(&folder, &[]).await;
    does(&mut guest, "open d /local/d directory").await.unwrap();
    let paths = [
        "../secret",
        "d/../../secret",
        "up/secret",
        "up/",
        "secret",
        "secret/",
        "absolute",
        "absolute/etc/passwd",
        "d/up/secret",
        "./d/./up/inside/../secret",
        "d/up/inside/../../secret",
        "..",
        "../",
        "d/../..",
        "../inside/d/file",
    ];
    for path in paths {
        for base in ["/local", "@d"] {
            let path = if base == "@d" { format!("../{path}") } else { path.to_owned() };
            for line in [
                format!("read {base}/{path}"),
                format!("list {base}/{path}"),
                format!("stat {base}/{path}"),
                format!("open x {base}/{path} write truncate"),
                format!("open x {base}/{path} write create"),
                format!("mkdir {base}/{path}/new"),
                format!("rename {base}/d/file {base}/{path}/stolen"),
                format!("rename {base}/{path}/secret {base}/stolen"),
                format!("unlink {base}/{path}/secret"),
                format!("rmdir {base}/{path}/inside"),
                format!("touch {base}/{path} 1"),
            ] {
                assert!(does(&mut guest, &line).await.is_err(), "`{line}`");
            }
        }
    }
    assert_eq!(folder.beside(), beside);
    assert_eq!(does(&mut guest, "read /local/d/file").await.unwrap(), ["text"]);
}

#[tokio::test]
async fn a_revoke_cuts_off_also_past_the_component() {
    let folder = Folder::with([("file", "text"), ("d/other", "other")]);
    let mut guest = mounted(&folder, &[]).await;
    for line in
        ["open f /local/file read write", "open d /local/d directory", "stream in @f reading", "listing l /local"]
    {
        does(&mut guest, line).await.unwrap();
    }
    for line in ["stream out @f writing", "stream more @f appending"] {
        does(&mut guest, line).await.unwrap();
    }
    let before = folder.everything();
    assert_eq!(does(&mut guest, "revoke /local mountfs").await.unwrap(), ["true"]);
    let calls = [
        "pull in 1",
        "push out x",
        "push more x",
        "next l",
        "read @f 0 1",
        "list @d",
        "stat /local/file",
        "sync /local",
    ];
    for line in CHANGES.into_iter().chain(calls) {
        let refused = does(&mut guest, line).await.expect_err(line);
        assert!(["no-device", "denied"].contains(&refused.as_str()), "`{line}`: {refused}");
    }
    assert_eq!(folder.everything(), before);
}

#[tokio::test]
async fn grants_and_what_is_open_are_counted_also_past_the_component() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = mounted(&folder, &[]).await;
    let Limits { descriptors, mounts, .. } = Limits::default();
    for number in 1..mounts {
        does(&mut guest, &format!("mount /{number}")).await.unwrap();
    }
    assert_eq!(does(&mut guest, "mount /more").await.unwrap_err(), "other");
    for number in mounts..descriptors {
        does(&mut guest, &format!("open {number} /local/file")).await.unwrap();
    }
    assert_eq!(does(&mut guest, "open more /local/file").await.unwrap_err(), "insufficient-memory");
    // The directory of a grant is something open, too.
    does(&mut guest, "unmount /1").await.unwrap();
    does(&mut guest, "open more /local/file").await.unwrap();
    assert_eq!(does(&mut guest, "mount /1").await.unwrap_err(), "other");
    assert_eq!(does(&mut guest, "read @more 0 9").await.unwrap(), ["text"]);
}

#[tokio::test]
async fn what_a_guest_asks_for_is_checked_also_past_the_component() {
    let folder = Folder::new();
    let mut guest = mounted(&folder, &[]).await;
    for path in ["relative".to_owned(), format!("/{}", "x".repeat(4096)), "\"/a\\u0000b\"".to_owned()] {
        assert_eq!(does(&mut guest, &format!("mount {path}")).await.unwrap_err(), "invalid-path", "{path}");
    }
    for id in ["a/b", "\"\"", "ä"] {
        assert_eq!(does(&mut guest, &format!("mount /other id={id}")).await.unwrap_err(), "invalid-id", "{id}");
    }
}

//! The kernel's side: a filter on a thread, and the notices it sends.
#![expect(unsafe_code, reason = "these calls of the kernel have no safe form")]

use super::{Errno, call};
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// A call that waits for its answer.
pub(super) type Notice = libc::seccomp_notif;

/// Where the notices of one thread, and of all that it starts, arrive.
pub(super) struct Listener(OwnedFd);

/// `SECCOMP_IOCTL_NOTIF_RECV` and `SECCOMP_IOCTL_NOTIF_SEND` of linux/seccomp.h: `SECCOMP_IOWR(0, …)` and `(1, …)`.
const RECEIVE: libc::Ioctl = read_and_write(0, size_of::<Notice>());
const SEND: libc::Ioctl = read_and_write(1, size_of::<libc::seccomp_notif_resp>());

const fn read_and_write(number: usize, size: usize) -> libc::Ioctl {
    (3 << 30 | size << 16 | (b'!' as usize) << 8 | number) as libc::Ioctl
}

impl Listener {
    /// Puts this thread, and all that it starts from now on, under a filter. There is no way back.
    pub(super) fn on_this_thread() -> io::Result<Self> {
        let load_number = statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0);
        let mut filter = vec![load_number];
        for number in call::numbers() {
            // When it is not this one, jump over the next instruction.
            filter.push(libc::sock_filter { jf: 1, ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number) });
            filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_USER_NOTIF));
        }
        filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
        let program =
            libc::sock_fprog { len: filter.len().try_into().expect("it is short"), filter: filter.as_mut_ptr() };
        // SAFETY: the program is valid for as long as the call, which copies it.
        unsafe {
            // Else only a privileged thread may have a filter.
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
            let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
            let listener =
                check(libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program))?;
            Ok(Self(OwnedFd::from_raw_fd(listener.try_into().expect("a descriptor"))))
        }
    }

    /// The next call; `None` when everything under the filter has ended.
    pub(super) fn next(&self) -> Option<Notice> {
        loop {
            let mut poll = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: `poll` is one descriptor; an all-zero notice is what the call wants, and fills.
            let notice = unsafe {
                libc::poll(&raw mut poll, 1, -1);
                if poll.revents & libc::POLLHUP != 0 {
                    return None;
                }
                let mut notice: Notice = std::mem::zeroed();
                check(libc::ioctl(self.0.as_raw_fd(), RECEIVE, &raw mut notice).into()).map(|_| notice)
            };
            // It fails when the caller was killed meanwhile.
            if let Ok(notice) = notice {
                return Some(notice);
            }
        }
    }

    /// Lets a call go on, or answers it: an error, or 0 for success.
    pub(super) fn answer(&self, notice: &Notice, errno: Option<Errno>) {
        let answer = libc::seccomp_notif_resp {
            id: notice.id,
            val: 0,
            error: -errno.unwrap_or(0),
            flags: if errno.is_some() { 0 } else { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 },
        };
        // SAFETY: the answer is valid for as long as the call. It fails when the caller was killed, which is none of ours.
        let _ = unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, &raw const answer) };
    }
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code.try_into().expect("16 bits"), jt: 0, jf: 0, k }
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

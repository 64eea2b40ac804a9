//! The signals of this process: passed on to the program while it runs, obeyed while there is none, and the end of
//! children. Watched from the start, since the first process of a container has no default for them.

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::super::trouble::{Result, Trouble};

/// What happens to the process.
pub enum News {
    Signal(Signal),
    Child,
}

pub struct Signals(UnboundedReceiver<News>);

impl Signals {
    pub fn watch() -> Result<Self> {
        let passed = [
            (SignalKind::hangup(), Signal::HUP),
            (SignalKind::interrupt(), Signal::INT),
            (SignalKind::quit(), Signal::QUIT),
            (SignalKind::user_defined1(), Signal::USR1),
            (SignalKind::user_defined2(), Signal::USR2),
            (SignalKind::alarm(), Signal::ALARM),
            (SignalKind::terminate(), Signal::TERM),
            (SignalKind::window_change(), Signal::WINCH),
        ];
        let (send, news) = unbounded_channel();
        let failed = |error| Trouble::Local(format!("cannot watch for signals: {error}"));
        let ignored = ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
        // What is ignored, as by nohup, the program ignores as well.
        for (kind, number) in passed.into_iter().filter(|(_, number)| ignored >> (number.as_raw() - 1) & 1 == 0) {
            let (mut stream, send) = (signal(kind).map_err(failed)?, send.clone());
            tokio::spawn(
                async move { while stream.recv().await.is_some() && send.send(News::Signal(number)).is_ok() {} },
            );
        }
        let mut children = signal(SignalKind::child()).map_err(failed)?;
        tokio::spawn(async move { while children.recv().await.is_some() && send.send(News::Child).is_ok() {} });
        Ok(Self(news))
    }

    pub async fn next(&mut self) -> Option<News> {
        self.0.recv().await
    }

    /// Passes signals on until the child has ended, and returns its status.
    pub async fn until_end_of(&mut self, child: Pid) -> u8 {
        while let Some(event) = self.next().await {
            if let Some(status) = passed_on(event, child) {
                return status;
            }
        }
        1
    }

    /// Until somebody wants our end while there is no program: the status that a shell gives to it.
    pub async fn end(&mut self) -> u8 {
        while let Some(event) = self.next().await {
            match event {
                News::Signal(signal) if [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT].contains(&signal) => {
                    return u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX);
                }
                News::Signal(_) => {}
                News::Child => drop(reap(None)),
            }
        }
        1
    }
}

/// The signals that are ignored, by proc_pid_status(5), one bit each.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// The status of the child if it has ended.
pub fn passed_on(event: News, child: Pid) -> Option<u8> {
    match event {
        News::Signal(signal) => {
            if !(is_of_keyboard(signal) && has_terminal()) {
                let _ = kill_process(child, signal);
            }
            None
        }
        News::Child => reap(Some(child)),
    }
}

/// Waits for all that have ended: as the first process of a container, also for those that lost their parent.
fn reap(child: Option<Pid>) -> Option<u8> {
    let mut ended = None;
    while let Ok(Some((process, status))) = wait(WaitOptions::NOHANG) {
        if Some(process) == child {
            let number = status.exit_status().or_else(|| Some(128 + status.terminating_signal()?));
            ended = number.map(|number| u8::try_from(number).unwrap_or(u8::MAX)).or(ended);
        }
    }
    ended
}

fn is_of_keyboard(signal: Signal) -> bool {
    [Signal::INT, Signal::QUIT].contains(&signal)
}

/// A terminal whose foreground we are in sends its signals to the program as well.
fn has_terminal() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|terminal| rustix::termios::tcgetpgrp(&terminal) == Ok(rustix::process::getpgrp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_which_signals_are_ignored() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert_eq!(ignored(status), 0x1001);
        assert_eq!(ignored(""), 0);
    }
}

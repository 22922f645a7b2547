//! Ctrl-C, SIGTERM and SIGHUP: the first asks a run to stop after its step, the second ends the
//! program.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit status of a program that was asked to stop, by whatever signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// Whether the user asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let listen = |signal| {
            // The second interrupt means now; in this order, since the first sets what it asks for.
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked)).map(drop)
        };
        let mut signals = vec![SIGINT, SIGTERM];
        signals.extend(hang_up());
        let listening: io::Result<()> = signals.into_iter().try_for_each(listen);
        listening.context("cannot listen for interrupts")?;
        Ok(Self(asked))
    }

    /// Asks to stop, as the user's first interrupt does.
    #[cfg(test)]
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How a command ends that was asked to stop; it says how to go on.
#[derive(Debug)]
pub(crate) struct Interrupted(pub(crate) String);

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for Interrupted {}

/// The signal of a terminal that is closed, unless `nohup` has it ignored.
#[cfg(unix)]
fn hang_up() -> Option<i32> {
    let signal = signal_hook::consts::SIGHUP;
    // Only Linux says what is ignored.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    (ignored.unwrap_or(0) >> (signal - 1) & 1 == 0).then_some(signal)
}

/// There is no such signal.
#[cfg(not(unix))]
fn hang_up() -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::env;
    use std::io::{BufRead, BufReader, Write, stdout};
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    const TEST: &str = "interrupt::tests::every_signal_that_ends_programs_asks_first_and_ends_then";
    const CHILD: &str = "CLOVER_TEST_INTERRUPTED";

    /// Says when it listens and when it was asked, and then goes on for ever.
    fn be_interrupted() -> Result<()> {
        let interrupt = Interrupt::listen()?;
        // Not through the test harness, which holds lines back.
        let say = |line: &str| writeln!(stdout(), "{line}").and_then(|()| stdout().flush());
        say("listening")?;
        while !interrupt.asked() {
            sleep(Duration::from_millis(1));
        }
        say("asked")?;
        sleep(Duration::from_secs(600));
        Ok(())
    }

    #[test]
    fn every_signal_that_ends_programs_asks_first_and_ends_then() {
        if env::var_os(CHILD).is_some() {
            be_interrupted().unwrap();
        }
        // Under `nohup` it is ignored.
        let hang_up = hang_up().map(|_| "HUP");
        for signal in ["INT", "TERM"].into_iter().chain(hang_up) {
            let mut child = Command::new(env::current_exe().unwrap())
                .args([TEST, "--exact", "--nocapture"])
                .env(CHILD, "1")
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut wait_for = |word: &str| said.any(|line| line.unwrap().ends_with(word));
            let pid = child.id().to_string();
            let send = || Command::new("kill").args(["-s", signal, &pid]).status();

            assert!(wait_for("listening"), "{signal}");
            assert!(send().unwrap().success());
            assert!(wait_for("asked"), "{signal}");
            assert!(send().unwrap().success());

            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(INTERRUPTED.into()), "{signal}");
        }
    }
}

//! What the program prints: results, notes about what it does, and details for those who want them.
//!
//! A line that cannot be written is an error of the program, for a full disk must not end in success;
//! a closed pipe is the reader's choice.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context, Result};

/// How much is said beside results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Results and errors.
    Quiet,
    /// Progress, and what was done.
    Normal,
    /// What each step measured, too.
    Verbose,
}

/// One program, one terminal.
static VERBOSITY: AtomicU8 = AtomicU8::new(Verbosity::Normal as u8);
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Says how much is said from now on.
pub(crate) fn set_verbosity(verbosity: Verbosity) {
    VERBOSITY.store(verbosity as u8, Ordering::Relaxed);
}

/// Whether so much is said.
pub(crate) fn says(verbosity: Verbosity) -> bool {
    VERBOSITY.load(Ordering::Relaxed) >= verbosity as u8
}

/// Standard output, whose failures stand in the program's end although a writer passes over them.
#[derive(Debug)]
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        keep_failure(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        keep_failure(io::stdout().flush())
    }
}

/// So many of what one is called.
pub(crate) fn counted(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

/// One line of a result.
pub(crate) fn print_line(line: &str) {
    let _kept = writeln!(Stdout, "{line}");
}

/// One line about what the program does, which `--quiet` leaves out.
pub(crate) fn note(line: &str) {
    if says(Verbosity::Normal) {
        print_line(line);
    }
}

/// One line about work that goes on, which `--quiet` leaves out: it goes where a bar would be, so that results
/// stay alone in a file.
pub(crate) fn print_progress(line: &str) {
    if says(Verbosity::Normal) {
        // Nothing is lost with it.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Writes what is left, and says what could not be written.
pub(crate) fn finish() -> Result<()> {
    let _kept = Stdout.flush();
    let failure = FAILURE.lock().ok().and_then(|mut failure| failure.take());
    failure.map_or(Ok(()), Err).context("standard output")
}

fn keep_failure<T>(done: io::Result<T>) -> io::Result<T> {
    if let Err(error) = &done
        && !is_closed_pipe(error)
        && let Ok(mut failure) = FAILURE.lock()
    {
        failure.get_or_insert_with(|| error.kind().into());
    }
    done
}

/// Whether nobody reads any more.
pub(crate) fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

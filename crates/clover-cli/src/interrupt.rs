//! Ctrl-C: the first asks a run to stop after its step, the second ends the program.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// The exit status of a program ended by an interrupt: 128 and the signal's number.
pub(crate) const INTERRUPTED: u8 = 130;

/// Whether the user asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&asked);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                // The second interrupt means now.
                std::process::exit(INTERRUPTED.into());
            }
        })
        .context("cannot listen for interrupts")?;
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

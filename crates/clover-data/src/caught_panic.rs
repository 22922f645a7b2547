//! Panics of other people's decoders, which cost the file that caused them and nothing else.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// What `work` gives, or what it panicked with.
///
/// A program that does not want the text of such a panic on its terminal asks [`panics_are_caught`] in
/// its panic hook.
///
/// # Errors
///
/// `work` panicked.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> thread::Result<T> {
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    done
}

/// Whether a panic of this thread would be caught here, and reported as an error of a file.
pub fn panics_are_caught() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_known_to_be_while_it_lasts() {
        let caught = catch_panic(|| {
            assert!(catch_panic(|| panic!("inner")).is_err() && panics_are_caught());
            panic!("outer")
        });

        assert!(caught.is_err_and(|panic: Box<_>| panic.is::<&str>()));
        assert!(!panics_are_caught());
    }
}

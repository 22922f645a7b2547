//! Pickles of Python, read without ever running what they say.
//!
//! A pickle is a program for a small stack machine, and some of its instructions import and call
//! code. Here only those exist that build data, in protocols 0 to 5:
//!
//! - [`Pickle::parse`] knows numbers, texts, bytes, lists, tuples, dicts and sets. Any other
//!   instruction is refused by name and place.
//! - [`Pickle::parse_checkpoint`] also knows what PyTorch's checkpoints need: names of classes and
//!   functions, calls of them, and references to storages. A call is *written down*, as a
//!   [`Node::Call`]; nothing is looked up, imported or called.
//!
//! All values live in one list and refer to each other by [`Place`], so a value that contains itself
//! neither leaks nor overflows the stack when it is dropped, and a shared one is stored once. Memory
//! is bounded by a small multiple of the pickle's length.
//!
//! ```
//! use clover_pickle::Pickle;
//!
//! let pickle = Pickle::parse(b"(lp0\nI1\naVtwo\np1\na.")?;
//! assert_eq!(pickle.to_json()?.to_string(), r#"[1,"two"]"#);
//!
//! let system = Pickle::parse(b"cos\nsystem\n(S'ls'\ntR.").unwrap_err();
//! assert!(system.to_string().contains("GLOBAL"));
//! # Ok::<(), clover_pickle::PickleError>(())
//! ```

mod cursor;
mod error;
mod expand;
mod machine;
mod node;
mod object;
mod opcode;
mod scalar;
mod vocabulary;

pub use error::{PickleError, PickleFault};
pub use expand::Expansion;
pub use node::{Node, Place};

use cursor::Cursor;
use machine::Machine;
use vocabulary::Vocabulary;

/// What a pickle says.
#[derive(Debug)]
pub struct Pickle {
    nodes: Vec<Node>,
    root: Place,
    bytes: usize,
}

impl Pickle {
    /// Reads a pickle of plain data.
    ///
    /// # Errors
    ///
    /// When it is truncated or broken, holds an integer beyond 64 bits, or has an instruction for
    /// more than plain data; the error names the byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, PickleError> {
        read(bytes, Vocabulary::Plain)
    }

    /// Reads the pickle of a PyTorch checkpoint that `bytes` begin with; [`Pickle::length`] says how
    /// far it reaches.
    ///
    /// # Errors
    ///
    /// When it is truncated or broken, has an instruction that no checkpoint needs, or names a
    /// function that runs programs; the error names the byte.
    pub fn parse_checkpoint(bytes: &[u8]) -> Result<Self, PickleError> {
        read(bytes, Vocabulary::Checkpoint)
    }

    /// The bytes it takes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes
    }

    /// Where the finished value stands.
    #[must_use]
    pub fn root(&self) -> Place {
        self.root
    }

    /// All values, each once, in the order they were made.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// The value at a place of this pickle.
    #[must_use]
    pub fn node(&self, place: Place) -> &Node {
        // Places of another pickle lead nowhere.
        self.nodes.get(place.0 as usize).unwrap_or(&Node::None)
    }

    /// The whole value as JSON: bytes that are UTF-8 become text, tuples and sets become lists.
    ///
    /// # Errors
    ///
    /// When a value contains itself or is nested too deep, is no plain data, has a key that is no
    /// text or bytes that are no text, or when what it shares would become far larger than the
    /// pickle.
    pub fn to_json(&self) -> Result<serde_json::Value, PickleError> {
        Expansion::new(self).expand(self.root)
    }
}

fn read(bytes: &[u8], vocabulary: Vocabulary) -> Result<Pickle, PickleError> {
    let mut machine = Machine::new(Cursor::new(bytes), vocabulary);
    let root = loop {
        if let Some(root) = machine.step()? {
            break root;
        }
    };
    let (nodes, bytes) = machine.finish();
    Ok(Pickle { nodes, root, bytes })
}

#[cfg(test)]
mod checkpoint_tests;
#[cfg(test)]
mod tests;

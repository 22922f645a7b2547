//! Pickles that hold plain data, read without ever running what they say.
//!
//! A pickle is a program for a small stack machine, and some of its instructions import and call
//! code. Here only those that build numbers, texts, bytes, lists, tuples, dicts and sets exist
//! (protocols 0 to 5); any other is refused by name and place. All values live in one list and
//! refer to each other by number, so a value that contains itself neither leaks nor overflows the
//! stack when it is dropped, and a shared one is stored once.

use cursor::Cursor;
use machine::Machine;

mod cursor;
mod error;
mod expand;
mod machine;
mod opcode;
mod scalar;

pub use error::{PickleError, PickleFault};
pub(crate) use expand::Expansion;

/// What a pickle says.
#[derive(Debug)]
pub struct Pickle {
    nodes: Vec<Node>,
    root: Place,
    bytes: usize,
}

/// Where a value stands in the list of all values.
type Place = u32;

/// A value; what it contains is named by place.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// A list, a tuple or a set: nothing here asks which.
    List(Vec<Place>),
    Dict(Vec<(Place, Place)>),
}

impl Pickle {
    /// Reads a pickle.
    ///
    /// # Errors
    ///
    /// When it is truncated or broken, holds an integer beyond 64 bits, or has an instruction for
    /// more than plain data; the error names the byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, PickleError> {
        let mut machine = Machine::new(Cursor::new(bytes));
        let root = loop {
            if let Some(root) = machine.step()? {
                break root;
            }
        };
        Ok(Self {
            nodes: machine.into_nodes(),
            root,
            bytes: bytes.len(),
        })
    }

    /// The whole value as JSON: bytes that are UTF-8 become text, tuples and sets become lists.
    ///
    /// # Errors
    ///
    /// When a value contains itself or is nested too deep, has a key that is no text or bytes that
    /// are no text, or when what it shares would become far larger than the pickle.
    pub fn to_json(&self) -> Result<serde_json::Value, PickleError> {
        Expansion::new(self).expand(self.root)
    }
}

#[cfg(test)]
mod tests;

//! Values of a pickle written out as JSON, within bounds.

use serde_json::{Map, Value};

use super::{Node, Pickle, PickleError, PickleFault, Place};

/// Annotations are nested four deep at most.
const MAX_DEPTH: usize = 16;

/// A pickle stores a shared text once. Keys of dicts are short, so annotations grow about threefold
/// when each use is written out.
const GROWTH: usize = 16;

/// What a value costs beside its text.
const VALUE_BYTES: usize = 4;

/// Writes out values of one pickle; all of them together stay within a multiple of its size.
#[derive(Debug)]
pub struct Expansion<'a> {
    pickle: &'a Pickle,
    limit: usize,
    left: usize,
}

impl<'a> Expansion<'a> {
    /// Begins with the whole budget.
    #[must_use]
    pub fn new(pickle: &'a Pickle) -> Self {
        let limit = pickle.bytes.saturating_mul(GROWTH);
        Self {
            pickle,
            limit,
            left: limit,
        }
    }

    /// The places of the entries, where the pickle is a list.
    #[must_use]
    pub fn entries(&self) -> Option<&'a [Place]> {
        match self.pickle.node(self.pickle.root) {
            Node::List(entries) => Some(entries),
            _ => None,
        }
    }

    /// Writes out one value.
    ///
    /// # Errors
    ///
    /// As [`Pickle::to_json`].
    pub fn expand(&mut self, place: Place) -> Result<Value, PickleError> {
        self.value(place, 0)
    }

    fn value(&mut self, place: Place, depth: usize) -> Result<Value, PickleError> {
        let pickle = self.pickle;
        if depth > MAX_DEPTH {
            return Err(self.error(PickleFault::TooDeep { limit: MAX_DEPTH }));
        }
        self.spend(VALUE_BYTES)?;
        match pickle.node(place) {
            Node::None => Ok(Value::Null),
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(value) => Ok((*value).into()),
            Node::Float(value) => Ok((*value).into()),
            node @ (Node::Text(_) | Node::Bytes(_)) => self.text(node).map(Value::String),
            Node::List(list) => list
                .iter()
                .map(|&place| self.value(place, depth + 1))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Node::Dict(pairs) => {
                let mut object = Map::new();
                for &(key, value) in pairs {
                    let key = self.text(pickle.node(key))?;
                    object.insert(key, self.value(value, depth + 1)?);
                }
                Ok(Value::Object(object))
            }
            Node::LongInt | Node::Global(_) | Node::Call { .. } | Node::Persistent(_) => {
                Err(self.error(PickleFault::NotPlain))
            }
        }
    }

    fn text(&mut self, node: &Node) -> Result<String, PickleError> {
        let text = match node {
            Node::Text(text) => Some(text.as_ref()),
            Node::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        let text = text.ok_or_else(|| self.error(PickleFault::NotPlain))?;
        self.spend(text.len())?;
        Ok(text.to_owned())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), PickleError> {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => return Err(self.error(PickleFault::TooFar { limit: self.limit })),
        }
        Ok(())
    }

    fn error(&self, fault: PickleFault) -> PickleError {
        PickleError {
            offset: self.pickle.bytes,
            fault,
        }
    }
}

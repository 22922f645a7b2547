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
pub(crate) struct Expansion<'a> {
    pickle: &'a Pickle,
    limit: usize,
    left: usize,
}

impl<'a> Expansion<'a> {
    pub(crate) fn new(pickle: &'a Pickle) -> Self {
        let limit = pickle.bytes.saturating_mul(GROWTH);
        Self {
            pickle,
            limit,
            left: limit,
        }
    }

    /// The places of the entries, where the pickle is a list.
    pub(crate) fn entries(&self) -> Option<&'a [Place]> {
        match self.pickle.nodes.get(self.pickle.root as usize) {
            Some(Node::List(entries)) => Some(entries),
            _ => None,
        }
    }

    /// Writes out one value.
    pub(crate) fn expand(&mut self, place: Place) -> Result<Value, PickleError> {
        self.value(place, 0)
    }

    fn value(&mut self, place: Place, depth: usize) -> Result<Value, PickleError> {
        let pickle = self.pickle;
        if depth > MAX_DEPTH {
            return Err(self.error(PickleFault::TooDeep { limit: MAX_DEPTH }));
        }
        self.spend(VALUE_BYTES)?;
        match pickle.nodes.get(place as usize) {
            None => Err(self.error(PickleFault::Truncated)),
            Some(Node::None) => Ok(Value::Null),
            Some(Node::Bool(value)) => Ok(Value::Bool(*value)),
            Some(Node::Int(value)) => Ok((*value).into()),
            Some(Node::Float(value)) => Ok((*value).into()),
            Some(node @ (Node::Text(_) | Node::Bytes(_))) => self.text(node).map(Value::String),
            Some(Node::List(list)) => list
                .iter()
                .map(|&place| self.value(place, depth + 1))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Some(Node::Dict(pairs)) => {
                let mut object = Map::new();
                for &(key, value) in pairs {
                    let Some(key) = pickle.nodes.get(key as usize) else {
                        return Err(self.error(PickleFault::Truncated));
                    };
                    let key = self.text(key)?;
                    object.insert(key, self.value(value, depth + 1)?);
                }
                Ok(Value::Object(object))
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

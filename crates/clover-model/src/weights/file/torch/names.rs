//! The tensors of a pickle by name: keys of dicts within each other are joined by a dot.

use std::collections::BTreeSet;

use clover_pickle::{Node, Pickle, Place};

use super::super::FileFault;
use super::super::stored::UnreadableTensor;
use super::tensor::{Made, Tensor, made};

/// Checkpoints are nested six deep at most.
const MAX_DEPTH: usize = 32;

/// Values that are met twice, and names that begin alike, may cost this many times the pickle.
const GROWTH: usize = 16;

/// The tensors of a pickle.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) tensors: Vec<(String, Tensor)>,
    pub(super) unreadable: Vec<UnreadableTensor>,
    pub(super) other_objects: BTreeSet<String>,
}

/// A value that is still to be looked into.
struct Pending {
    place: Place,
    name: String,
    depth: usize,
}

impl Named {
    /// Goes through all values that the root leads to.
    pub(super) fn read(pickle: &Pickle) -> Result<Self, FileFault> {
        let mut named = Self::default();
        if let Node::Call { callee, arguments } = *pickle.node(pickle.root()) {
            return Err(lone(pickle, callee, arguments));
        }
        let mut budget = pickle.length().saturating_mul(GROWTH);
        let mut pending = vec![Pending {
            place: pickle.root(),
            name: String::new(),
            depth: 0,
        }];
        while let Some(value) = pending.pop() {
            if value.depth > MAX_DEPTH {
                return Err(FileFault::Sharing);
            }
            let first = pending.len();
            match pickle.node(value.place) {
                Node::Dict(pairs) => {
                    for &(key, place) in pairs {
                        if let Some(key) = key_text(pickle, key) {
                            pending.push(value.below(&key, place, &mut budget)?);
                        }
                    }
                }
                Node::List(places) => {
                    for (index, &place) in places.iter().enumerate() {
                        if leads_on(pickle, place) {
                            pending.push(value.below(&index.to_string(), place, &mut budget)?);
                        }
                    }
                }
                &Node::Call { callee, arguments } => {
                    named.add(pickle, value.name, callee, arguments)?;
                }
                Node::Global(name) => {
                    named.other_objects.insert(name.to_string());
                }
                _ => {}
            }
            // What was pushed last is looked at first, and the first of a dict is to come first.
            pending[first..].reverse();
        }
        Ok(named)
    }

    fn add(
        &mut self,
        pickle: &Pickle,
        name: String,
        callee: Place,
        arguments: Place,
    ) -> Result<(), FileFault> {
        match made(pickle, callee, arguments) {
            Ok(Made::Tensor(tensor)) => self.tensors.push((name, *tensor)),
            Ok(Made::OtherTensor(stored_as)) => {
                self.unreadable.push(UnreadableTensor { name, stored_as });
            }
            Ok(Made::Other(Some(object))) => {
                self.other_objects.insert(object);
            }
            Ok(Made::Other(None)) => {}
            Err(reason) => return Err(FileFault::Tensor { name, reason }),
        }
        Ok(())
    }
}

impl Pending {
    fn below(&self, key: &str, place: Place, budget: &mut usize) -> Result<Self, FileFault> {
        let name = match self.name.is_empty() {
            true => key.to_owned(),
            false => format!("{}.{key}", self.name),
        };
        *budget = budget
            .checked_sub(name.len() + 1)
            .ok_or(FileFault::Sharing)?;
        Ok(Self {
            place,
            name,
            depth: self.depth + 1,
        })
    }
}

/// Lists of numbers, as in a training program's settings, are not worth a name each.
fn leads_on(pickle: &Pickle, place: Place) -> bool {
    matches!(
        pickle.node(place),
        Node::Dict(_) | Node::List(_) | Node::Call { .. } | Node::Global(_)
    )
}

fn key_text(pickle: &Pickle, key: Place) -> Option<String> {
    match pickle.node(key) {
        Node::Text(key) => Some(key.to_string()),
        Node::Int(key) => Some(key.to_string()),
        _ => None,
    }
}

/// Why a file with one object and no names is refused.
fn lone(pickle: &Pickle, callee: Place, arguments: Place) -> FileFault {
    let class = match made(pickle, callee, arguments) {
        Ok(Made::Other(Some(class)) | Made::OtherTensor(class)) => class,
        Ok(Made::Tensor(_)) | Err(_) => "torch.Tensor".to_owned(),
        Ok(Made::Other(None)) => "no known class".to_owned(),
    };
    FileFault::WholeObject { class }
}

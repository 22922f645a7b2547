//! The values of a pickle.

/// Where a value stands in the list of all values of one pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(pub(crate) u32);

/// A value; what it contains is named by place.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Node {
    /// Nothing.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// An integer of more bits, which is not kept; only in checkpoints.
    LongInt,
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// A list, a tuple or a set: nothing here asks which.
    List(Vec<Place>),
    /// Keys and values in the order they were set; a key may come twice.
    Dict(Vec<(Place, Place)>),
    /// A class or function by name, `module.name`; only in checkpoints.
    Global(Box<str>),
    /// A class or function and the arguments (a list) it would be called with; only in checkpoints.
    /// What is set on the outcome later is not kept.
    Call {
        /// What would be called.
        callee: Place,
        /// With what.
        arguments: Place,
    },
    /// What stands outside the pickle, by its name there; only in checkpoints.
    Persistent(Place),
}

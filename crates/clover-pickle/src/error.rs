//! Why a pickle cannot be read.

/// Why a pickle cannot be read, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {fault}")]
pub struct PickleError {
    /// The byte, counted from zero; of what is wrong with a finished value, the pickle's length.
    pub offset: usize,
    /// What is wrong.
    pub fault: PickleFault,
}

/// What is wrong with a pickle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleFault {
    /// It ends too soon.
    #[error("the pickle ends in the middle")]
    Truncated,
    /// It wants more than plain data.
    #[error("the instruction {name} ({code:#04x}) makes more than plain data and is refused")]
    Refused {
        /// The instruction.
        name: &'static str,
        /// Its code.
        code: u8,
    },
    /// It names what runs programs in Python, or opens files.
    #[error("it names `{name}`, which would run code when Python opens it, and is refused")]
    RunsCode {
        /// The function or class.
        name: String,
    },
    /// No protocol has this instruction.
    #[error("there is no instruction {code:#04x}")]
    UnknownOpcode {
        /// The code.
        code: u8,
    },
    /// Its protocol is newer than 5.
    #[error("the protocol {found} is not known")]
    Protocol {
        /// The protocol.
        found: u8,
    },
    /// An instruction finds too little on the stack, or the wrong thing.
    #[error("the instruction {code:#04x} does not find what it needs")]
    Stack {
        /// The code.
        code: u8,
    },
    /// A number cannot be read.
    #[error("a number cannot be read")]
    Number,
    /// An integer needs more than 64 bits.
    #[error("an integer needs more than 64 bits")]
    IntegerTooLarge,
    /// A text is not what its instruction says.
    #[error("a text cannot be read")]
    Text,
    /// A remembered value was never remembered.
    #[error("nothing was remembered as {index}")]
    Memo {
        /// The number of the memory.
        index: u32,
    },
    /// There are more values than any file of its kind has.
    #[error("there are more than {limit} values")]
    TooManyValues {
        /// The most allowed.
        limit: usize,
    },
    /// A value contains itself, or is nested deeper than any annotation.
    #[error("a value is nested more than {limit} deep or contains itself")]
    TooDeep {
        /// The deepest allowed.
        limit: usize,
    },
    /// Shared values add up to far more than the pickle holds.
    #[error("its shared values would become more than {limit} bytes")]
    TooFar {
        /// The most bytes allowed.
        limit: usize,
    },
    /// A value is no plain data.
    #[error("a key is no text, bytes are no text, or a value is no plain data")]
    NotPlain,
}

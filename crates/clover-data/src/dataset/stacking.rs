//! Samples put together by the threads of a loader.

use super::source::{Collated, SampleSource};

/// A sample that can be put together with others.
pub trait Stack: Sized + Send + Sync + 'static {
    /// What several become, on no device yet.
    type Stacked: Send + 'static;

    /// Puts samples together.
    ///
    /// # Panics
    ///
    /// Panics if there is none, or if clips or texts differ in size.
    fn stack(samples: &[Self]) -> Self::Stacked;
}

/// The samples of a training step.
#[derive(Debug)]
pub enum Batch<S: Stack> {
    /// That pass the model together.
    Stacked(Box<S::Stacked>),
    /// That pass it in micro-batches. Their clips stay 8-bit until their turn comes: stacked at once, a
    /// large batch would take four times the memory.
    Apart(Vec<S>),
}

/// A source whose samples the loader puts together for a training step.
pub type Batched<S> =
    Collated<S, fn(Vec<<S as SampleSource>::Sample>) -> Batch<<S as SampleSource>::Sample>>;

/// The batches of a source, whose samples stay `apart` where they pass the model in micro-batches.
pub fn batched<S: SampleSource<Sample: Stack>>(source: S, apart: bool) -> Batched<S> {
    let collate: fn(Vec<S::Sample>) -> Batch<S::Sample> = match apart {
        true => Batch::Apart,
        false => |samples: Vec<S::Sample>| Batch::Stacked(Box::new(S::Sample::stack(&samples))),
    };
    Collated { source, collate }
}

//! What differs from task to task in a run.

use std::path::Path;

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;

use crate::TrainerError;
use crate::evaluate::Measured;
use crate::finetune::LearnsInParts;

/// The inner form of a model, without a graph.
pub(super) type Inner<B, M> = <M as AutodiffModule<B>>::InnerModule;

/// A task with the parts of the bundle that it does not train.
pub(super) trait Learner<B: AutodiffBackend> {
    /// What is trained.
    type Model: LearnsInParts<B>;

    /// Measures a model on the validation items; nothing where there are none. `progress` hears how
    /// many items of how many are done.
    fn measure(
        &self,
        model: Inner<B, Self::Model>,
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<Measured>, TrainerError>;

    /// Writes a bundle with the model.
    fn write(&self, model: Inner<B, Self::Model>, folder: &Path) -> Result<(), TrainerError>;
}

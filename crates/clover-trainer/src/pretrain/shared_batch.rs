//! A batch whose samples lie on several devices.

use burn::prelude::*;
use burn::tensor::DType;
use clover_losses::TriModalEmbeddings;

use crate::devices::{DevicesError, GradientScaling, Peer};

/// This device's place in a batch.
#[derive(Debug)]
pub struct SharedBatch<'s, B: Backend> {
    /// This device among all.
    pub peer: &'s Peer<B>,
    /// The place of each sample of this device, ascending, and with no other device's between.
    pub places: &'s [usize],
    /// Places of the batch; one that no device has a sample for is left out.
    pub slots: usize,
    /// What the comparison weighs against the word loss.
    pub scaling: GradientScaling,
}

/// What the devices know together.
pub(super) struct Gathered<B: Backend> {
    /// Embeddings of all samples, in the order of their places.
    pub(super) embeddings: TriModalEmbeddings<B>,
    /// The first row of this device.
    pub(super) first: usize,
    /// Masked words of the batch.
    pub(super) words: usize,
    /// Samples of the batch.
    pub(super) pairs: usize,
}

impl<B: Backend> SharedBatch<'_, B> {
    /// Embeddings and counts of all devices: one message.
    ///
    /// # Shapes
    ///
    /// - encoded: each `[local, dim]`; none where this device has no sample
    /// - words: masked words of each of its samples
    pub(super) fn gather(
        &self,
        encoded: Option<TriModalEmbeddings<B>>,
        words: &[usize],
        dim: usize,
        device: &B::Device,
    ) -> Result<Gathered<B>, DevicesError> {
        let encoded = match encoded {
            Some(embeddings) if self.peer.is_alone() => {
                return Ok(Gathered {
                    embeddings,
                    first: 0,
                    words: words.iter().sum(),
                    pairs: words.len(),
                });
            }
            encoded => encoded,
        };
        let rows = encoded.map(|embeddings| {
            // A sample's words, and a mark that it is there.
            let marks = words.iter().flat_map(|&words| [words as f32, 1.0]);
            let marks: Vec<f32> = marks.collect();
            let marks = Tensor::<B, 1>::from_data(marks.as_slice(), (device, DType::F32));
            let mut columns = Vec::from(embeddings.into_array().map(|all| all.cast(DType::F32)));
            columns.push(marks.reshape([words.len(), 2]));
            Tensor::cat(columns, 1)
        });
        let shape = [self.slots, 6 * dim + 2];
        let all = self.peer.gather(rows, self.places, shape, device)?;
        let marks = all.clone().narrow(1, 6 * dim, 2).into_data();
        self.without_gaps(all, &marks.iter::<f32>().collect::<Vec<_>>(), dim, device)
    }

    /// Leaves out the places that nobody has a sample for.
    fn without_gaps(
        &self,
        mut all: Tensor<B, 2>,
        marks: &[f32],
        dim: usize,
        device: &B::Device,
    ) -> Result<Gathered<B>, DevicesError> {
        let taken = |place: &usize| marks[2 * place + 1] > 0.0;
        let present: Vec<usize> = (0..self.slots).filter(taken).collect();
        if present.is_empty() {
            return Err(DevicesError::NothingRead);
        }
        if present.len() < self.slots {
            let rows: Vec<i64> = present.iter().map(|&place| place as i64).collect();
            all = all.select(0, Tensor::from_data(rows.as_slice(), device));
        }
        let own = self.places.first().copied().unwrap_or(0);
        Ok(Gathered {
            embeddings: TriModalEmbeddings::from_array(std::array::from_fn(|which| {
                all.clone().narrow(1, which * dim, dim)
            })),
            first: present.iter().filter(|&&place| place < own).count(),
            words: present.iter().map(|place| marks[2 * place] as usize).sum(),
            pairs: present.len(),
        })
    }

    /// What the gradient of the losses that compare is multiplied by.
    pub(super) fn contrast_scale(&self) -> f64 {
        match self.scaling {
            GradientScaling::FullBatch => 1.0,
            GradientScaling::Published => 1.0 / self.peer.world() as f64,
        }
    }

    /// What the mean over `part` masked words is multiplied by, where this device has `own` and all
    /// have `all`.
    pub(super) fn word_share(&self, part: usize, own: usize, all: usize) -> f64 {
        match self.scaling {
            GradientScaling::FullBatch => part as f64 / all as f64,
            GradientScaling::Published => part as f64 / own as f64 / self.peer.world() as f64,
        }
    }
}

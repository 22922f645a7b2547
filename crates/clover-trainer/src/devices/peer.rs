//! A device's view of all devices.

use burn::prelude::*;
use burn::tensor::{DType, IndexingUpdateOp};
use clover_data::dataset::BatchShare;

use super::DevicesError;
#[cfg(feature = "collective")]
use super::group::Links;

/// One of the devices that train together. `B` is the backend without autodiff.
#[derive(Debug)]
pub struct Peer<B: Backend> {
    pub(super) rank: usize,
    pub(super) world: usize,
    #[cfg(feature = "collective")]
    pub(super) links: Option<Links<B>>,
    #[cfg(not(feature = "collective"))]
    pub(super) links: std::marker::PhantomData<B>,
}

impl<B: Backend> Default for Peer<B> {
    fn default() -> Self {
        Self::alone()
    }
}

impl<B: Backend> Peer<B> {
    /// The only device.
    #[must_use]
    pub fn alone() -> Self {
        Self {
            rank: 0,
            world: 1,
            links: Default::default(),
        }
    }

    /// The number of this device among all, from zero; nodes one after the other.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Devices of all nodes.
    #[must_use]
    pub fn world(&self) -> usize {
        self.world
    }

    /// Whether this device writes what the run leaves behind.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.rank == 0
    }

    /// Whether there is no other device.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.world == 1
    }

    /// What this device reads of every batch.
    #[must_use]
    pub fn share(&self) -> BatchShare {
        BatchShare {
            reader: self.rank,
            readers: self.world,
        }
    }

    /// The sum of all peers' vectors, the same to the bit on every peer.
    ///
    /// # Shapes
    ///
    /// - values: `[values]`, in f32, as long on every peer
    /// - output: as values
    ///
    /// # Errors
    ///
    /// A peer is gone, does not answer, or sent something else.
    pub fn sum(&self, values: Tensor<B, 1>) -> Result<Tensor<B, 1>, DevicesError> {
        #[cfg(feature = "collective")]
        if let Some(links) = &self.links {
            return links.sum(values);
        }
        Ok(values)
    }

    /// Rows of all peers, each at its place; zeros where none has one.
    ///
    /// # Shapes
    ///
    /// - rows: `[local, dim]`; none where this device has no row
    /// - output: `[slots, dim]`
    ///
    /// # Errors
    ///
    /// As [`sum`](Self::sum).
    ///
    /// # Panics
    ///
    /// Panics if there is not a place for each row.
    pub fn gather(
        &self,
        rows: Option<Tensor<B, 2>>,
        places: &[usize],
        [slots, dim]: [usize; 2],
        device: &B::Device,
    ) -> Result<Tensor<B, 2>, DevicesError> {
        let mut all = Tensor::zeros([slots, dim], (device, DType::F32));
        if let Some(rows) = rows {
            assert_eq!(
                rows.dims(),
                [places.len(), dim],
                "gather: a place for each row"
            );
            let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
            let places = Tensor::<B, 1, Int>::from_data(places.as_slice(), device);
            all = all.select_assign(0, places, rows.cast(DType::F32), IndexingUpdateOp::Add);
        }
        Ok(self.sum(all.reshape([slots * dim]))?.reshape([slots, dim]))
    }

    /// Whether any peer says yes.
    ///
    /// # Errors
    ///
    /// As [`sum`](Self::sum).
    pub fn any(&self, yes: bool, device: &B::Device) -> Result<bool, DevicesError> {
        if self.is_alone() {
            return Ok(yes);
        }
        let said = Tensor::full([1], f32::from(u8::from(yes)), (device, DType::F32));
        Ok(self.sum(said)?.into_scalar().elem::<f32>() > 0.0)
    }

    /// Checks that all peers set out on the same run.
    ///
    /// # Errors
    ///
    /// Names the first fact that differs and the peer; or as [`sum`](Self::sum).
    pub fn agree(&self, facts: &[(&str, u64)], device: &B::Device) -> Result<(), DevicesError> {
        if self.is_alone() {
            return Ok(());
        }
        // An f32 holds 16 bits exactly.
        let own: Vec<f32> = facts
            .iter()
            .flat_map(|(_, value)| (0..4).map(move |part| (value >> (16 * part)) as u16))
            .map(f32::from)
            .collect();
        let width = own.len();
        let row = Tensor::<B, 1>::from_data(own.as_slice(), (device, DType::F32));
        let (row, shape) = (row.reshape([1, width]), [self.world, width]);
        let all = self.gather(Some(row), &[self.rank], shape, device)?;
        let all: Vec<f32> = all.into_data().iter::<f32>().collect();
        let first = &all[..width];
        for (rank, row) in all.chunks(width).enumerate() {
            // Whole numbers.
            let differ = |(one, other): (&f32, &f32)| (one - other).abs() > 0.5;
            let differs = row.iter().zip(first).position(differ);
            if let Some(at) = differs {
                return Err(DevicesError::Disagree {
                    what: facts[at / 4].0.to_owned(),
                    peer: format!("rank {rank}"),
                });
            }
        }
        Ok(())
    }
}

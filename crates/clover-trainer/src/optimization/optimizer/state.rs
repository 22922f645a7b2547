//! The moments of AdamW by parameter path, on the device and as tensors to store.

use std::collections::BTreeMap;

use burn::module::{AutodiffModule, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::backend::AutodiffBackend;
use clover_kernels::{AdamWTensors, AdamWUpdate, adamw};

use crate::error::TrainerError;

const MOMENT_1: &str = "moment_1";
const MOMENT_2: &str = "moment_2";
const STEPS: &str = "steps";

/// What AdamW remembers of one parameter. Parameters differ in rank, so moments are kept flat.
#[derive(Debug)]
pub(super) struct Moments<B: Backend> {
    steps: usize,
    shape: Vec<usize>,
    moment_1: Tensor<B, 1>,
    moment_2: Tensor<B, 1>,
}

impl<B: Backend> Moments<B> {
    /// Of a parameter that was never updated.
    pub(super) fn zeros(shape: &[usize], device: &B::Device) -> Self {
        let zeros = || Tensor::zeros([shape.iter().product::<usize>()], device);
        Self {
            steps: 0,
            shape: shape.to_vec(),
            moment_1: zeros(),
            moment_2: zeros(),
        }
    }

    /// One update of the parameter and the moments; `update` knows everything but the number of
    /// the step.
    pub(super) fn update<const D: usize>(
        self,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        update: AdamWUpdate,
    ) -> (Tensor<B, D>, Self) {
        let (shape, device) = (gradient.dims(), gradient.device());
        assert_eq!(
            self.shape, shape,
            "optimizer: a parameter changed its shape between two steps"
        );
        let steps = self.steps + 1;
        let tensors = AdamWTensors {
            parameter: flat(parameter),
            moment_1: self.moment_1.to_device(&device),
            moment_2: self.moment_2.to_device(&device),
        };
        let updated = adamw(tensors, flat(gradient), &AdamWUpdate { steps, ..update });
        let moments = Self {
            steps,
            shape: self.shape,
            moment_1: updated.moment_1,
            moment_2: updated.moment_2,
        };
        (updated.parameter.reshape(shape), moments)
    }

    pub(super) fn to_tensors(&self, path: &str) -> [(String, TensorData); 3] {
        let moment = |tensor: &Tensor<B, 1>| {
            let mut data = tensor.to_data();
            data.shape = self.shape.clone().into();
            data
        };
        [
            (format!("{path}.{MOMENT_1}"), moment(&self.moment_1)),
            (format!("{path}.{MOMENT_2}"), moment(&self.moment_2)),
            (
                format!("{path}.{STEPS}"),
                TensorData::new(vec![self.steps as i64], [1]),
            ),
        ]
    }
}

fn flat<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, 1> {
    let elements = tensor.shape().num_elements();
    tensor.reshape([elements])
}

/// Assigns stored tensors to the parameters of a module.
pub(super) fn read<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    tensors: Vec<(String, TensorData)>,
) -> Result<BTreeMap<String, Moments<B::InnerBackend>>, TrainerError> {
    let mut reader = Reader::<B> {
        tensors: tensors.into_iter().collect(),
        moments: BTreeMap::new(),
        path: Vec::new(),
        error: None,
    };
    module.visit(&mut reader);
    if let Some(error) = reader.error {
        return Err(error);
    }
    match reader.tensors.into_keys().next() {
        Some(name) => Err(TrainerError::UnknownOptimizerTensor { name }),
        None => Ok(reader.moments),
    }
}

struct Reader<B: AutodiffBackend> {
    tensors: BTreeMap<String, TensorData>,
    moments: BTreeMap<String, Moments<B::InnerBackend>>,
    path: Vec<String>,
    /// A visitor cannot stop: the first error is kept.
    error: Option<TrainerError>,
}

impl<B: AutodiffBackend> Reader<B> {
    /// `None` for a parameter without any state: it never had a gradient.
    fn moments_of(
        &mut self,
        path: &str,
        shape: &[usize],
        device: &B::Device,
    ) -> Result<Option<Moments<B::InnerBackend>>, TrainerError> {
        let names = [MOMENT_1, MOMENT_2, STEPS].map(|name| format!("{path}.{name}"));
        if !names.iter().any(|name| self.tensors.contains_key(name)) {
            return Ok(None);
        }
        let [moment_1, moment_2, steps] = &names;
        Ok(Some(Moments {
            moment_1: self.moment(moment_1, shape, device)?,
            moment_2: self.moment(moment_2, shape, device)?,
            steps: self.steps(steps)?,
            shape: shape.to_vec(),
        }))
    }

    fn moment(
        &mut self,
        name: &str,
        shape: &[usize],
        device: &B::Device,
    ) -> Result<Tensor<B::InnerBackend, 1>, TrainerError> {
        let mut data = self.take(name, shape)?;
        if !data.dtype.is_float() {
            return Err(TrainerError::OptimizerTensorValue {
                name: name.to_owned(),
            });
        }
        data.shape = [shape.iter().product::<usize>()].into();
        let dtype = data.dtype;
        Ok(Tensor::from_data(data, (device, dtype)))
    }

    fn steps(&mut self, name: &str) -> Result<usize, TrainerError> {
        self.take(name, &[1])?
            .to_vec::<i64>()
            .ok()
            .and_then(|steps| steps.first().copied())
            // AdamW counts in 32 bits.
            .and_then(|steps| u32::try_from(steps).ok())
            .and_then(|steps| usize::try_from(steps).ok())
            .ok_or_else(|| TrainerError::OptimizerTensorValue {
                name: name.to_owned(),
            })
    }

    fn take(&mut self, name: &str, expected: &[usize]) -> Result<TensorData, TrainerError> {
        let data =
            self.tensors
                .remove(name)
                .ok_or_else(|| TrainerError::MissingOptimizerTensor {
                    name: name.to_owned(),
                })?;
        if data.shape.as_slice() != expected {
            return Err(TrainerError::OptimizerTensorShape {
                name: name.to_owned(),
                shape: data.shape.to_vec(),
                expected: expected.to_vec(),
            });
        }
        Ok(data)
    }
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Reader<B> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if self.error.is_some() {
            return;
        }
        let path = self.path.join(".");
        let shape = param.lazy_shape().to_vec();
        match self.moments_of(&path, &shape, &param.lazy_device()) {
            Ok(None) => {}
            Ok(Some(moments)) => {
                self.moments.insert(path, moments);
            }
            Err(error) => self.error = Some(error),
        }
    }
}

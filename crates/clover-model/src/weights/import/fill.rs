//! The walk over a module that hands each parameter its values.

use burn::module::{ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::{DType, TensorData};

use super::found::Found;
use super::{FIRST_KERNELS, Import, PATCH_KERNEL};
use crate::weights::layout::transposed;
use crate::weights::other_shape::{
    Brought, bias_table, inflated, patch_positions, space_positions, text_positions,
    time_positions, with_colours_reversed, word_pieces,
};
use crate::weights::{Resized, ShapeMismatch, WeightError};

/// Walks a module.
pub(super) struct Filler<'i, 's> {
    import: &'i mut Import<'s>,
    path: Vec<String>,
    /// The kind of module at each level of the path.
    containers: Vec<String>,
    /// The first tensor that could not be read, and why.
    pub(super) failure: Option<WeightError>,
}

/// Values on their way into a parameter.
struct Values {
    values: Vec<f32>,
    shape: Vec<usize>,
}

impl<'i, 's> Filler<'i, 's> {
    pub(super) fn new(import: &'i mut Import<'s>) -> Self {
        Self {
            import,
            path: Vec::new(),
            containers: Vec::new(),
            failure: None,
        }
    }

    /// The values of the parameter that the walk has come to, if a file has them in this shape.
    fn values(&mut self, expected: &[usize]) -> Result<Option<Values>, WeightError> {
        let path = self.path.join(".");
        let Some(found) = self.import.found.get(&path).cloned() else {
            self.import.report.missing.push(path);
            return Ok(None);
        };
        let read = self.read(&found, &path)?;
        let Some(mut read) = self.in_shape(read, &path, expected, &found) else {
            return Ok(None);
        };
        if FIRST_KERNELS.contains(&&*path) && self.import.options.reverse_colours {
            with_colours_reversed(&mut read.values, &read.shape);
        }
        self.note(found, &read);
        Ok(Some(read))
    }

    /// The values in the shape of the parameter; nothing, and a line in the report, if there is no
    /// way to bring them to it.
    fn in_shape(
        &mut self,
        read: Values,
        path: &str,
        expected: &[usize],
        found: &Found,
    ) -> Option<Values> {
        if read.shape == expected {
            return Some(read);
        }
        let name = found.name.clone();
        let Some((values, how)) = self.brought(&read, path, expected, found) else {
            self.import.used.insert((found.source, name.clone()));
            self.import.report.mismatched.push(ShapeMismatch {
                name,
                expected: expected.to_vec(),
                found: read.shape,
            });
            return None;
        };
        self.import.report.resized.push(Resized {
            name,
            from: found.shape.clone(),
            to: expected.to_vec(),
            how,
        });
        Some(Values {
            values,
            shape: expected.to_vec(),
        })
    }

    /// The tensor in our layout.
    fn read(&self, found: &Found, path: &str) -> Result<Values, WeightError> {
        let (source, naming, _) = self.import.sources[found.source];
        let data = source.data(&found.name)?;
        let shape = data.shape.to_vec();
        let values = data.into_vec::<f32>().map_err(|error| {
            WeightError::malformed(std::io::Error::other(format!("{}: {error:?}", found.name)))
        })?;
        let is_linear = self
            .containers
            .last()
            .is_some_and(|kind| kind == "Struct:Linear");
        Ok(match shape[..] {
            [rows, columns] if is_linear && naming.transposes() && path.ends_with(".weight") => {
                Values {
                    values: transposed(&values, [rows, columns]),
                    shape: vec![columns, rows],
                }
            }
            _ => Values { values, shape },
        })
    }

    /// The values in the shape that is needed, where that means something.
    fn brought(
        &self,
        read: &Values,
        path: &str,
        expected: &[usize],
        found: &Found,
    ) -> Option<Brought> {
        let (values, shape) = (&read.values, &read.shape[..]);
        if path == PATCH_KERNEL {
            let depth = *expected.get(2).filter(|_| shape.len() == 4)?;
            let (spread, inflated) = inflated(values, shape, depth);
            return (inflated == expected).then_some((spread, "spread over time"));
        }
        let window = self.import.options.resize_to?;
        if let Some(brought) = word_pieces(path, values, shape, expected) {
            return Some(brought);
        }
        let (_, _, source) = self.import.sources[found.source];
        let brought = if path.ends_with("relative_position_bias_table") {
            bias_table(values, shape, window, source)
        } else {
            match (path, shape, expected) {
                ("fusion_encoder.embeddings.space_position", [1, 1, rows, dim], [_, _, to, _]) => {
                    space_positions(values, [*rows, *dim], *to)
                }
                ("fusion_encoder.embeddings.time_position", [1, rows, 1, dim], [_, to, ..]) => {
                    Some(time_positions(values, [*rows, *dim], *to))
                }
                (
                    "text_encoder.embeddings.position.weight" | "text_encoder.text.positions",
                    [rows, dim],
                    [to, _],
                ) => Some(text_positions(values, [*rows, *dim], *to)),
                ("video_encoder.vision.positions", [rows, dim], [to, _]) => {
                    patch_positions(values, [*rows, *dim], *to)
                }
                _ => None,
            }
        };
        // Tables of another width are those of another model.
        brought.filter(|(values, _)| {
            values.len() == expected.iter().product::<usize>() && shape.last() == expected.last()
        })
    }

    fn note(&mut self, found: Found, read: &Values) {
        let options = self.import.options;
        let report = &mut self.import.report;
        let first = self.import.used.insert((found.source, found.name.clone()));
        if !first {
            return;
        }
        if (options.look_for_not_finite || options.refuse_not_finite)
            && !read.values.iter().all(|value| value.is_finite())
        {
            report.not_finite.push(found.name.clone());
        }
        report.applied.push(found.name);
    }
}

impl<B: Backend> ModuleMapper<B> for Filler<'_, '_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if self.failure.is_some() {
            return param;
        }
        // Neither its shape nor its device draws a parameter that is not drawn yet.
        match self.values(&param.lazy_shape().to_vec()) {
            Ok(Some(Values { values, shape })) => {
                let device = param.lazy_device();
                let data = TensorData::new(values, shape);
                let id = param.id;
                param.transform_for_load(Tensor::from_data(data, (&device, DType::F32)), id)
            }
            Ok(None) => param,
            Err(failure) => {
                self.failure = Some(failure);
                param
            }
        }
    }
}

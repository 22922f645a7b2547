//! A folder of values recorded from the published implementation.

use crate::TestAutodiffBackend;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use burn::tensor::TensorData;
use clover_model::text_encoder::BertConfig;
use clover_model::video_encoder::VideoSwinConfig;
use clover_model::weights::{self, Naming, UNUSED_BY_DESIGN, WeightReport};
use clover_model::{Clover, CloverConfig};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// All parameters of the pre-training model.
const STATE: &str = "state.safetensors";
/// Its rows are the one size of the model that the manifest leaves out.
const FEED_FORWARD: &str = "text_backbone.bert.encoder.layer.0.intermediate.dense.weight";

/// One folder.
pub(crate) struct Fixture {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Value,
}

/// The tensors of one file, as recorded.
pub(crate) struct Recorded(HashMap<String, TensorData>);

/// The project's own folder, and those that `CLOVER_PARITY_DIRS` names.
pub(crate) fn fixtures() -> Vec<Fixture> {
    // As the trainer does before its first step.
    clover_kernels::register_autodiff::<TestAutodiffBackend>();
    // The folder at run time comes first: the program may have been built elsewhere.
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let own = Path::new(&package).join("fixtures");
    let others = env::var("CLOVER_PARITY_DIRS").unwrap_or_default();
    let others = others
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    std::iter::once(own)
        .chain(others)
        .map(Fixture::open)
        .collect()
}

impl Fixture {
    pub(crate) fn open(folder: PathBuf) -> Self {
        let path = folder.join("manifest.json");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let manifest =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { folder, manifest }
    }

    pub(crate) fn name(&self) -> String {
        self.folder
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    pub(crate) fn size(&self, key: &str) -> usize {
        let value = self.manifest["config"][key].as_u64();
        usize::try_from(value.unwrap_or_else(|| panic!("manifest: no size {key}"))).unwrap()
    }

    pub(crate) fn sizes(&self, key: &str) -> Vec<usize> {
        let values = self.manifest["config"][key].as_array();
        let values = values.unwrap_or_else(|| panic!("manifest: no sizes {key}"));
        values
            .iter()
            .map(|value| usize::try_from(value.as_u64().unwrap()).unwrap())
            .collect()
    }

    pub(crate) fn about(&self, file: &str) -> &Value {
        &self.manifest["files"][file]
    }

    pub(crate) fn json(&self, file: &str) -> Value {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn read(&self, file: &str) -> Recorded {
        let path = self.folder.join(file);
        let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.iter().map(|(name, view)| {
            let dtype = match view.dtype() {
                Dtype::F32 => burn::tensor::DType::F32,
                Dtype::I32 => burn::tensor::DType::I32,
                Dtype::U8 => burn::tensor::DType::U8,
                other => panic!("{name}: unexpected type {other:?}"),
            };
            let data =
                TensorData::from_bytes_vec(view.data().to_vec(), view.shape().to_vec(), dtype);
            (name.to_owned(), data)
        });
        Recorded(tensors.collect())
    }

    /// The sizes of this folder, without dropout.
    pub(crate) fn config(&self) -> CloverConfig {
        let hidden = self.size("hidden");
        let window = self.sizes("window").try_into().unwrap();
        let video = VideoSwinConfig::new(
            self.size("embed_dim"),
            self.sizes("depths"),
            self.sizes("num_heads"),
        )
        .with_window(window);
        let text = BertConfig::new(
            self.size("vocab"),
            hidden,
            self.size("text_layers"),
            self.size("heads"),
            self.read(STATE).data(FEED_FORWARD).shape[0],
        )
        .with_max_positions(self.size("max_pos"));
        CloverConfig::new(video.into(), text.into())
            .with_time_positions(Some(self.size("t_tokens")))
            .with_space_positions(Some(self.size("s_tokens")))
            .with_fusion_layers(self.size("fusion_layers"))
            .without_dropout()
    }

    /// The recorded pre-training model, through the public import.
    pub(crate) fn clover<B: Backend>(&self, device: &B::Device) -> Clover<B> {
        let mut clover = self.config().init(device);
        let path = self.folder.join(STATE);
        let report = weights::read_file(&mut clover, &path, Naming::Published).unwrap();
        assert_nothing_lost(&report);
        clover
    }
}

/// Every parameter has its recorded value, and only what is unused by design was left over.
pub(crate) fn assert_nothing_lost(report: &WeightReport) {
    assert!(report.is_complete(), "{report}");
    for name in &report.unused {
        assert!(
            UNUSED_BY_DESIGN
                .iter()
                .any(|prefix| name.starts_with(prefix)),
            "unused: {name}"
        );
    }
}

impl Recorded {
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    pub(crate) fn data(&self, name: &str) -> &TensorData {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("the file has no {name}"))
    }

    pub(crate) fn values(&self, name: &str) -> Vec<f32> {
        self.data(name).clone().convert::<f32>().to_vec().unwrap()
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        self.data(name).clone().convert::<i64>().to_vec().unwrap()
    }

    pub(crate) fn float<B: Backend, const D: usize>(
        &self,
        name: &str,
        device: &B::Device,
    ) -> Tensor<B, D> {
        Tensor::from_data(self.data(name).clone().convert::<f32>(), device)
    }

    pub(crate) fn int<B: Backend, const D: usize>(
        &self,
        name: &str,
        device: &B::Device,
    ) -> Tensor<B, D, Int> {
        Tensor::from_data(self.data(name).clone().convert::<i64>(), device)
    }

    /// Clips are recorded as bytes: `pixels / 64 - 2`, exact in 32-bit floats.
    pub(crate) fn clips<B: Backend>(&self, name: &str, device: &B::Device) -> Tensor<B, 5> {
        self.float::<B, 5>(name, device) / 64.0 - 2.0
    }
}

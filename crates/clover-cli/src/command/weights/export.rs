//! `clover weights export`.

use anyhow::{Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_data::video::ChannelOrder;
use clover_inference::BundleExport;

use crate::arguments::{ExportWeights, Format};
use crate::command::open_bundle;
use crate::device::Work;
use crate::output::print_line;

/// An export from a device.
struct Exporting(ExportWeights);

impl Work for Exporting {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let arguments = self.0;
        let bundle = open_bundle::<B::InnerBackend>(&arguments.bundle, &device)?;
        let usual = match arguments.format {
            Some(Format::TorchvisionAndHuggingFace) => ChannelOrder::Rgb,
            _ => bundle.preprocessing.pixels.channels,
        };
        let format = match (arguments.clip, arguments.format) {
            (Some(names), _) => names.into(),
            (None, Some(format)) => format.into(),
            (None, None) => bail!("either --format or --clip"),
        };
        let export = BundleExport {
            format,
            channels: arguments.channels.map_or(usual, Into::into),
        };
        let files = export.write(&bundle, &arguments.out)?;
        for file in &files {
            print_line(&format!(
                "{}: {} tensors",
                file.path.display(),
                file.tensors
            ));
        }
        // Each of several files lacks what the others have.
        let nowhere = files[0]
            .left_out
            .iter()
            .filter(|path| files.iter().all(|file| file.left_out.contains(path)));
        for path in nowhere {
            print_line(&format!("  left out: {path}"));
        }
        Ok(())
    }
}

pub(super) fn run(arguments: ExportWeights) -> Result<()> {
    arguments.device.run(Exporting(arguments))
}

//! `clover weights import`.

use anyhow::{Context, Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_data::video::ChannelOrder;
use clover_inference::{BundleImport, ClipImport, ImportedBundle, WeightPath};
use clover_model::weights::SizeHints;
use serde_json::json;

use crate::arguments::{FusionFrom, ImportWeights};
use crate::device::Work;
use crate::output::print_line;

/// An import on a device.
struct Importing(ImportWeights);

impl Work for Importing {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let arguments = self.0;
        let imported = match &arguments.clip {
            Some(clip) => ClipImport {
                image_size: arguments.image_size,
                strict: arguments.strict,
                refuse_not_finite: arguments.refuse_not_finite,
                seed: arguments.seed,
                ..arguments.of_clip.import(clip.clone(), arguments.frames)
            }
            .read::<B::InnerBackend>(&device)?,
            None => request(&arguments)?.read::<B::InnerBackend>(&device)?,
        };
        let out = &arguments.out;
        imported
            .bundle
            .write(out)
            .with_context(|| format!("{}: cannot write the bundle", out.display()))?;
        if arguments.json {
            print_line(&as_json(&imported)?);
        } else {
            say_in_words(&imported, &arguments);
        }
        Ok(())
    }
}

pub(super) fn run(arguments: ImportWeights) -> Result<()> {
    arguments.device.run(Importing(arguments))
}

fn request(arguments: &ImportWeights) -> Result<BundleImport> {
    let naming = arguments.naming;
    let (weights, usual) = match (&arguments.video, &arguments.text, &arguments.clover) {
        (Some(video), Some(text), None) => {
            let video = WeightPath {
                path: video.clone(),
                naming,
            };
            let text = WeightPath {
                path: text.clone(),
                naming: None,
            };
            (vec![video, text], ChannelOrder::Rgb)
        }
        (None, None, Some(clover)) => {
            let clover = WeightPath {
                path: clover.clone(),
                naming,
            };
            (vec![clover], ChannelOrder::Bgr)
        }
        _ => bail!("either --video and --text, or --clover, or --clip"),
    };
    let channels = arguments.channels.map_or(usual, Into::into);
    Ok(BundleImport {
        vocabulary: arguments.vocab.clone(),
        answers: arguments.answers.clone(),
        frames: arguments.frames,
        image_size: arguments.image_size,
        text_len: arguments.text_len,
        text_positions: arguments.text_positions,
        hints: SizeHints {
            text_heads: arguments.text_heads,
            window: arguments.window,
        },
        fusion_from_text: arguments.fusion_from == FusionFrom::Text,
        strict: arguments.strict,
        refuse_not_finite: arguments.refuse_not_finite,
        seed: arguments.seed,
        ..BundleImport::new(weights, channels)
    })
}

fn as_json<B: burn::tensor::backend::Backend>(imported: &ImportedBundle<B>) -> Result<String> {
    let files = imported
        .files
        .iter()
        .map(|(path, naming)| json!({ "path": path, "naming": naming }));
    let report = json!({
        "files": files.collect::<Vec<_>>(),
        "config": imported.bundle.config,
        "report": imported.report,
    });
    Ok(serde_json::to_string_pretty(&report)?)
}

fn say_in_words<B: burn::tensor::backend::Backend>(
    imported: &ImportedBundle<B>,
    arguments: &ImportWeights,
) {
    for (path, naming) in &imported.files {
        print_line(&format!("{}: names of {naming}", path.display()));
    }
    print_line(&imported.report.to_string());
    if !imported.report.missing.is_empty() {
        let seed = arguments.seed;
        print_line(&format!("what is missing was drawn from the seed {seed}"));
    }
    if !imported.bundle.untrained.is_empty() {
        print_line(
            "the fusion encoder and its heads are left out of the bundle: nobody has trained them; `clover pretrain` \
             does, and searching does without",
        );
    }
    print_line(&format!("the bundle lies in {}", arguments.out.display()));
}

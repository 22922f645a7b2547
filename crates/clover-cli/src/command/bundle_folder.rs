//! A bundle as the user names it: its folder, or that of the run that made it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::backend::Backend;
use clover_inference::{Bundle, IndexSettings, has_checksums, is_index};

use crate::output::{Verbosity, says};

/// Reads a bundle; a folder that is none is an error that says what one is.
pub(super) fn open_bundle<B: Backend>(folder: &Path, device: &B::Device) -> Result<Bundle<B>> {
    Ok(Bundle::read(&bundle_folder(folder)?, device)?)
}

/// The folder of the bundle that is meant: this one, or, where it is a run's, the one in it.
pub(super) fn bundle_folder(folder: &Path) -> Result<PathBuf> {
    let name = folder.display();
    let is_bundle = |folder: &Path| folder.join("config.json").is_file();
    let within = folder.join("bundle");
    if let Some(found) = [folder, &within].into_iter().find(|one| is_bundle(one)) {
        say_if_unchecked(found);
        return Ok(found.to_owned());
    }
    if !folder.exists() {
        bail!("{name}: there is no such bundle");
    }
    if is_index(folder) {
        let bundle = IndexSettings::read(folder)?.bundle;
        bail!(
            "{name}: is an index, not a bundle: it was made with {}",
            bundle.display()
        );
    }
    if let Some(run) = run_of_checkpoint(folder) {
        bail!(
            "{name}: is a checkpoint of a run, not a bundle: use {}",
            run.join("bundle").display()
        );
    }
    if folder.join("checkpoints").is_dir() {
        bail!(
            "{name}: is the folder of a run that has no bundle yet: it is written when the run ends, as {}",
            within.display()
        );
    }
    bail!(
        "{name}: is not a bundle, which is a folder with `config.json`: `clover pretrain`, `finetune` and \
         `weights import` make one"
    )
}

/// The folder of the run whose checkpoint this is, or whose folder of checkpoints.
fn run_of_checkpoint(folder: &Path) -> Option<PathBuf> {
    let run_of = |folder: &Path| {
        let is_checkpoints =
            |folder: &&Path| folder.file_name().is_some_and(|name| name == "checkpoints");
        let checkpoints = folder.ancestors().take(2).find(is_checkpoints)?;
        checkpoints.parent().map(Path::to_owned)
    };
    // As it was written, where that tells; `.` does not.
    run_of(folder).or_else(|| run_of(&folder.canonicalize().ok()?))
}

/// Says of a bundle without checksums that damage to it would not be seen.
pub(super) fn say_if_unchecked(folder: &Path) {
    if says(Verbosity::Normal) && !has_checksums(folder) {
        let name = folder.display();
        let _ = writeln!(
            io::stderr(),
            "{name}: has no checksums.txt, so that damage to its files is not seen"
        );
    }
}

/// A bundle nobody trained, and a few clips.
#[cfg(feature = "flex")]
#[cfg(test)]
pub(super) mod small {
    use std::path::{Path, PathBuf};

    use burn_flex::Flex;
    use clover_data::dataset::ClipTable;
    use clover_data::text::Tokenizer;
    use clover_inference::{Answers, Bundle};
    use clover_model::CloverConfig;
    use clover_synthetic::{BenchmarkConfig, write_benchmark};

    /// A folder with `bundle`, and where its three clips lie.
    pub(crate) fn write(folder: &Path, answers: Option<Answers>) -> Vec<PathBuf> {
        let set = BenchmarkConfig::one_shape(3, 0.01);
        let files = write_benchmark(&set, folder, |_, _| ()).unwrap();
        // Without the held-out ones, the folder of clips holds these three.
        for number in 3..set.clips {
            std::fs::remove_file(files.clips.join(format!("000/{number:06}.gif"))).unwrap();
        }
        let tokenizer = Tokenizer::read(&files.vocabulary).unwrap();
        let config = CloverConfig::nano(tokenizer.vocabulary().len())
            .with_image_size(28)
            .with_frames(2);
        let device = Default::default();
        let answers = answers.map(|answers| {
            let head = answers.head().init(config.text.width(), &device);
            (answers, head)
        });
        let bundle: Bundle<Flex> = Bundle {
            answers,
            ..Bundle::init(config, tokenizer, 16, &device)
        };
        bundle.write(&folder.join("bundle")).unwrap();
        let table = ClipTable::open(&files.train.pairs, None, &|_, _| ()).unwrap();
        (0..table.len()).map(|row| table.name(row).into()).collect()
    }
}

#[cfg(feature = "flex")]
#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn a_folder_that_is_gone_or_no_bundle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| {
            let found = open_bundle::<Flex>(path, &Default::default());
            found.unwrap_err().to_string()
        };

        assert!(error(&folder.path().join("gone")).ends_with("gone: there is no such bundle"));
        assert!(error(folder.path()).contains("is not a bundle"));
    }

    #[test]
    fn a_run_folder_leads_to_its_bundle_and_a_checkpoint_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        let checkpoint = run.join("checkpoints/step-4");
        std::fs::create_dir_all(&checkpoint).unwrap();
        let error = |path: &Path| bundle_folder(path).unwrap_err().to_string();

        assert!(error(run).contains("has no bundle yet"), "{}", error(run));
        small::write(run, None);
        assert_eq!(bundle_folder(run).unwrap(), run.join("bundle"));
        for path in [checkpoint, run.join("checkpoints")] {
            let message = error(&path);
            assert!(message.contains("is a checkpoint of a run"), "{message}");
            assert!(message.ends_with("/bundle"), "{message}");
        }
    }

    #[test]
    fn a_bundle_is_read() {
        let folder = tempfile::tempdir().unwrap();
        small::write(folder.path(), None);

        let bundle = open_bundle::<Flex>(&folder.path().join("bundle"), &Default::default());

        assert!(bundle.unwrap().answers.is_none());
    }
}

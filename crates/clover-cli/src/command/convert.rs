//! `clover convert`.

use anyhow::{Result, bail};
use clover_data::dataset::{AnnotationFormat, ConvertRequest, Items, convert, write_items};

use crate::arguments::Convert;
use crate::progress::say;

pub(super) fn run(arguments: Convert) -> Result<()> {
    if arguments.list_formats {
        for format in AnnotationFormat::ALL {
            say(&format!("{:<26}{}", format.name(), format.description()));
        }
        return Ok(());
    }
    let (Some(annotation), Some(out)) = (arguments.annotation, arguments.out) else {
        bail!("an annotation file and --out are needed");
    };
    let request = ConvertRequest {
        annotation,
        format: arguments.format,
        list: arguments.list,
        mapping: arguments.mapping,
        vocabulary: arguments.answers,
        split: arguments.split,
        seed: arguments.seed,
        extension: arguments.extension,
        clip_pattern: arguments.clip_pattern,
    };
    let converted = convert(&request)?;
    write_items(&out, &converted.items)?;

    for item in &converted.skipped {
        say(&format!("skipped {item}"));
    }
    let task = match &converted.items {
        Items::Retrieval(_) => "retrieval",
        Items::MultipleChoice(_) => "multiple choice",
        Items::OpenEnded(_) => "open-ended",
    };
    say(&format!(
        "{}: {} {task} items of the format {}; {} rows skipped, {} not in the list or split",
        out.display(),
        converted.items.len(),
        converted.format.name(),
        converted.skipped.len(),
        converted.unlisted
    ));
    Ok(())
}

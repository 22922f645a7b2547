//! `clover convert`.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use clover_data::dataset::{
    AnnotationFormat, ConvertRequest, Converted, Items, convert, write_item_lines, write_items,
};

use crate::arguments::Convert;
use crate::output::{Stdout, is_closed_pipe, print_line};

pub(crate) fn run(arguments: Convert) -> Result<()> {
    if arguments.list_formats {
        for format in AnnotationFormat::ALL {
            print_line(&format!("{:<26}{}", format.name(), format.description()));
        }
        return Ok(());
    }
    let (Some(annotation), Some(out)) = (arguments.annotation, arguments.out) else {
        bail!("an annotation file and --out are needed");
    };
    let to_stdout = out == Path::new("-");
    let extension = out.extension().and_then(|extension| extension.to_str());
    let known = |extension: &str| ["jsonl", "ndjson", "json"].contains(&extension);
    if !to_stdout && !extension.is_some_and(|extension| known(&extension.to_ascii_lowercase())) {
        bail!(
            "--out {}: items are written as .jsonl or .json, or as lines to `-`",
            out.display()
        );
    }
    let request = ConvertRequest {
        format: arguments.format,
        vocabulary: arguments.answers,
        split: arguments.split,
        seed: arguments.seed,
        ..arguments.reading.request(&annotation)
    };
    let converted = convert(&request)?;
    if to_stdout {
        let mut writer = BufWriter::new(Stdout);
        match write_item_lines(&mut writer, &converted.items).and_then(|()| writer.flush()) {
            Err(error) if !is_closed_pipe(&error) => {
                return Err(error).context("the items cannot be written");
            }
            _ => (),
        }
        // What is told about them would be taken for one of them.
        let _closed = tell(&out, &converted, &mut std::io::stderr().lock());
        return Ok(());
    }
    write_items(&out, &converted.items)?;
    // What could not be written is known at the program's end.
    let _kept = tell(&out, &converted, &mut Stdout);
    Ok(())
}

fn tell(out: &Path, converted: &Converted, to: &mut impl Write) -> std::io::Result<()> {
    for item in &converted.skipped {
        writeln!(to, "skipped {item}")?;
    }
    let task = match &converted.items {
        Items::Retrieval(_) => "retrieval",
        Items::MultipleChoice(_) => "multiple choice",
        Items::OpenEnded(_) => "open-ended",
    };
    writeln!(
        to,
        "{}: {} {task} items of the format {}; {} rows skipped, {} not in the list or split",
        out.display(),
        converted.items.len(),
        converted.format.name(),
        converted.skipped.len(),
        converted.unlisted
    )
}

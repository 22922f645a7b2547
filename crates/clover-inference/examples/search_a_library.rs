//! Which moments of a library show something? Makes an index of a folder of videos, or brings it up to
//! date, and searches it.
//!
//! `cargo run --release -p clover-inference --example search_a_library -- BUNDLE VIDEOS INDEX TEXT`

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use burn_flex::Flex;
use clover_data::dataset::ClipTable;
use clover_inference::{
    Bundle, IndexEvent, LibrarySource, SearchQuery, Searcher, UpdateOptions, index_clips,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, videos, folder, text] = arguments.as_slice() else {
        return Err("BUNDLE VIDEOS INDEX TEXT".into());
    };
    let (bundle, videos) = (
        Path::new(bundle).canonicalize()?,
        Path::new(videos).canonicalize()?,
    );

    // Any backend of Burn: a program chooses one, the libraries name none.
    let device = Default::default();
    let opened = Bundle::<Flex>::read(&bundle, &device)?;
    let embedder = opened.into_embedder(device);

    let clips = ClipTable::open(&videos, None, &|_, _| ())?;
    let options = UpdateOptions::new(2, &[])?;
    let source = (LibrarySource::of(&videos), clips);
    let model = (bundle.as_path(), &embedder);
    let (_, summary) = index_clips(Path::new(folder), model, source, &options, &mut |event| {
        if let IndexEvent::Clip(record) = event
            && let Some(fault) = &record.fault
        {
            println!("{}: {fault}", record.key.path);
        }
        ControlFlow::Continue(())
    })?;
    println!(
        "{} embedded, {} unchanged",
        summary.embedded, summary.unchanged
    );

    let searcher = Searcher::<Flex>::open(Path::new(folder), device)?;
    let found = searcher.search(&SearchQuery {
        text: Some(text.clone()),
        top: 5,
        ..SearchQuery::default()
    })?;
    if found.matches == Some(false) {
        println!("nothing here matches; the nearest:");
    }
    for moment in &found.moments {
        let span = moment
            .span
            .map(|span| format!(", {span}"))
            .unwrap_or_default();
        println!("{:.3}  {}{span}", moment.score, moment.path.display());
    }
    Ok(())
}

//! Which clip does a sentence describe best? Reads a bundle, embeds clips and sentence, and ranks by
//! their product, which is a cosine.
//!
//! `cargo run --release -p clover-inference --example nearest_clip -- BUNDLE SENTENCE CLIP..`
//!
//! A bundle is what `clover demo`, `clover pretrain` or `clover weights import` leaves behind.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::path::Path;

use burn_flex::Flex;
use clover_data::dataset::ClipTable;
use clover_inference::{Bundle, EmbeddedBatch, Embedder, InferenceError};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, sentence, clips @ ..] = arguments.as_slice() else {
        return Err("BUNDLE SENTENCE CLIP..".into());
    };

    // Any backend of Burn: a program chooses one, the libraries name none.
    let device = Default::default();
    let embedder: Embedder<Flex> = Bundle::read(Path::new(bundle), &device)?.into_embedder(device);

    let table = ClipTable::of_captions(clips.iter().map(|clip| (clip, sentence)));
    let text = embedder.embed_texts(std::slice::from_ref(sentence))?;
    let mut ranked = Vec::new();
    // Two threads read; a clip that cannot be read is left out.
    embedder.embed_each_clip::<InferenceError>(table, (2, 1.0), &mut |batch| {
        match batch {
            EmbeddedBatch::Clips(read) => ranked.extend(read.into_iter().map(|clip| {
                let both = text.row(0).iter().zip(&clip.video);
                let cosine: f32 = both.map(|(text, video)| text * video).sum();
                (cosine, &clips[clip.index])
            })),
            EmbeddedBatch::Skipped(clip) => println!("left out: {clip}"),
            EmbeddedBatch::Done(done) => println!("{done} of {} clips read", clips.len()),
        }
        Ok(())
    })?;
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (cosine, clip) in ranked {
        println!("{cosine:6.3}  {clip}");
    }
    Ok(())
}

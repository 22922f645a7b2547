//! What is to be seen in a clip? Reads a bundle and a clip, and answers a question about it.
//!
//! `cargo run --release -p clover-inference --example ask_a_clip -- BUNDLE CLIP QUESTION [CHOICE..]`
//!
//! A bundle that `clover finetune` left behind has answers of its own; one that was pre-trained only
//! needs choices, and compares them by similarity.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::path::Path;

use burn_flex::Flex;
use clover_data::video::ClipSource;
use clover_inference::{Answerer, Bundle};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, clip, question, choices @ ..] = arguments.as_slice() else {
        return Err("BUNDLE CLIP QUESTION [CHOICE..]".into());
    };

    // Any backend of Burn: a program chooses one, the libraries name none.
    let device = Default::default();
    let bundle = Bundle::read(Path::new(bundle), &device)?;
    let answerer: Answerer<Flex> = Answerer::new(bundle, device);

    // A span would read a part of the clip only.
    let clip = answerer.read(ClipSource::Path(clip.into()), None)?;
    let found = answerer.answer(&clip, question, choices, 5)?;

    for answer in &found.ranked {
        println!("{:5.1} %  {}", 100.0 * answer.probability, answer.answer);
    }
    println!("of {} answers, by {:?}", found.known, found.answered_by);
    if !found.sure {
        println!("unsure");
    }
    Ok(())
}

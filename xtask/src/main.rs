//! The workspace's own commands, run as `cargo xtask <command>`.

mod ffmpeg;
mod gpu;
mod gpu_backend;
mod plan;
mod public_items;
mod step;
mod tidy;
mod workspace;

use anyhow::{Result, bail};
use gpu_backend::GpuBackend;
use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  test                  what `check` does, then every test on ndarray and again on flex, there
                        with FFmpeg where its libraries are installed
  test <filter>...      only the suite's tests whose names contain a filter, on both backends,
                        with their output shown: `cargo xtask test parity`
  test --backend wgpu|cuda [<filter>...]
                        on a GPU's backend, with Burn's fusion and without: kernels, losses, model,
                        and the suite's parity, gradients and a run in micro-batches; or only the suite's
                        tests whose names contain a filter. Skipped, saying so, without a driver
  gpu                   builds one folder for a machine with an NVIDIA GPU and no registry, where
                        `target/gpu/xtask gpu --run target/gpu` measures parity, demo and steps,
                        beside PyTorch; with --rehearse, builds and runs all that on the CPU
  check                 format, tidy, lints with every optional backend, docs; runs no test and
                        needs no GPU
  package               every package made as for a registry, and built from that alone
  public-items          writes the list of each library's public items, after `check`
  tidy                  the house rules a compiler does not know
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell anybody if even this cannot be written.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace::root()?;
    let mut out = std::io::stdout();

    match arguments.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            out.write_all(USAGE.as_bytes())?;
            Ok(())
        }
        ["test"] => {
            let ffmpeg = ffmpeg::is_installed(&mut out)?;
            step::run_all(&root, &plan::test(ffmpeg), &mut out)
        }
        ["test", "--backend", name, filters @ ..] => {
            let Some(backend) = GpuBackend::named(name) else {
                bail!(
                    "unknown backend `{name}`: there are wgpu and cuda; without the option, tests run on ndarray and flex"
                )
            };
            if !backend.has_driver(&mut out)? {
                return Ok(());
            }
            step::run_all(&root, &plan::gpu_test(backend, filters), &mut out)
        }
        ["test", filters @ ..] => step::run_all(&root, &plan::filtered_test(filters), &mut out),
        ["gpu", arguments @ ..] => gpu::run(&root, arguments, &mut out),
        ["check"] => {
            let ffmpeg = ffmpeg::is_installed(&mut out)?;
            step::run_all(&root, &plan::check(ffmpeg), &mut out)
        }
        ["package"] => step::run_all(&root, &plan::package(), &mut out),
        ["public-items"] => public_items::write(&root),
        ["tidy"] => tidy::run(&root, &mut out),
        [unknown, ..] => bail!("unknown command `{unknown}`\n\n{USAGE}"),
    }
}

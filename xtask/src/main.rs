//! The workspace's own commands, run as `cargo xtask <command>`.

mod gpu;
mod gpu_backend;
mod machine;
mod plan;
mod public_items;
mod step;
mod supply_chain;
mod tidy;
mod workspace;

use anyhow::{Result, bail};
use gpu_backend::GpuBackend;
use machine::Machine;
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
  check                 format, tidy, licences and sources of dependencies, lints with every optional
                        backend, docs, a build for web pages; runs no test and needs no GPU
  package               every package made as for a registry, and built from that alone
  public-items          writes the list of each library's public items, after `check`
  sbom                  writes what each package consists of, in CycloneDX's form, beside its manifest
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
            let machine = Machine::look(&mut out)?;
            step::run_all(&root, &plan::test(machine), &mut out)
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
            let machine = Machine::look(&mut out)?;
            step::run_all(&root, &plan::check(machine), &mut out)
        }
        ["package"] => step::run_all(&root, &plan::package(), &mut out),
        ["public-items"] => public_items::write(&root),
        ["sbom"] => supply_chain::write_parts(&root, &mut out),
        ["tidy"] => tidy::run(&root, &mut out),
        [unknown, ..] => bail!("unknown command `{unknown}`\n\n{USAGE}"),
    }
}

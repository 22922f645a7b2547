//! `clover serve`.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;
use burn::tensor::backend::AutodiffBackend;
use clover_server::{Server, ServerConfig};
use tracing_subscriber::filter::LevelFilter;

use super::bundle_folder::bundle_folder;
use super::index_folder::check_index;
use crate::arguments::Serve;
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::output::{Verbosity, print_line, says};

pub(crate) fn run(arguments: Serve) -> Result<()> {
    check_index(&arguments.index)?;
    log_to_stderr();
    let mut config = arguments.config()?;
    config.bundle = config.bundle.as_deref().map(bundle_folder).transpose()?;
    let serving = Serving {
        config,
        index: arguments.index,
        open: arguments.open,
        interrupt: Interrupt::listen()?,
    };
    arguments.device.run(serving)
}

/// Lines of what goes on: warnings, what `--quiet` leaves out, and what `--verbose` adds.
fn log_to_stderr() {
    let level = match (says(Verbosity::Verbose), says(Verbosity::Normal)) {
        (true, _) => LevelFilter::DEBUG,
        (_, true) => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    };
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false);
    // Where a log was begun already, it stays.
    let _ = log.try_init();
}

/// A server on its way to a device.
struct Serving {
    index: PathBuf,
    config: ServerConfig,
    open: bool,
    interrupt: Interrupt,
}

impl Work for Serving {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let server = Server::open::<B::InnerBackend>(&self.index, &self.config, device)?;
        let url = url(server.address());
        print_line(&format!("the page is at {url}; Ctrl-C ends the server"));
        if self.open
            && let Err(error) = show(&url)
        {
            let _ = writeln!(io::stderr(), "warning: no browser can be started: {error}");
        }
        // Stopped on purpose, it has done what it was asked for.
        Ok(server.run(&|| self.interrupt.asked())?)
    }
}

/// What a browser of this machine calls the address.
fn url(address: SocketAddr) -> String {
    let mut named = address;
    match address.ip() {
        ip if !ip.is_unspecified() => {}
        IpAddr::V4(_) => named.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(_) => named.set_ip(Ipv6Addr::LOCALHOST.into()),
    }
    format!("http://{named}/")
}

fn show(url: &str) -> io::Result<()> {
    let (program, words): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let mut browser = Command::new(program);
    browser.args(words).arg(url);
    let browser = browser.stdin(Stdio::null()).stdout(Stdio::null());
    browser.stderr(Stdio::null()).spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_at_all_addresses_is_called_by_this_machines() {
        let url = |address: &str| url(address.parse().unwrap());

        assert_eq!(url("127.0.0.1:7878"), "http://127.0.0.1:7878/");
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80/");
        assert_eq!(url("[::]:9"), "http://[::1]:9/");
    }
}

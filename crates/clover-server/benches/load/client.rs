//! Requests, one after the other over a connection that is kept, and what became of many.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A request without an answer by then is lost.
const LOST: Duration = Duration::from_secs(60);
/// Who sends requests that come at a steady rate.
const SENDERS: usize = 32;
/// Enough for one that only sends and reads.
const STACK: usize = 64 << 10;

/// A kept connection.
pub(crate) struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

/// What became of requests.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Milliseconds until each answer of status 200.
    pub(crate) answered: Vec<f64>,
    /// Those that were told to come again.
    pub(crate) busy: usize,
    /// Any other answer, or none.
    pub(crate) failed: usize,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LOST)?;
        stream.set_read_timeout(Some(LOST))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            address,
            stream: BufReader::new(stream),
        })
    }

    /// Sends JSON; returns the status and the length of the answer.
    pub(crate) fn post(&mut self, path: &str, body: &str) -> io::Result<(u16, usize)> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status: {line}")))?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let read = io::copy(&mut (&mut self.stream).take(length), &mut io::sink())?;
        match read == length {
            true => Ok((status, length as usize)),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Outcome {
    fn take(&mut self, answer: io::Result<(u16, usize)>, since: Instant) {
        match answer {
            Ok((200, _)) => self.answered.push(1000.0 * since.elapsed().as_secs_f64()),
            Ok((429, _)) => self.busy += 1,
            _ => self.failed += 1,
        }
    }

    fn merged(parts: impl Iterator<Item = Self>) -> Self {
        let mut all = parts.fold(Self::default(), |mut all, part| {
            all.answered.extend(part.answered);
            all.busy += part.busy;
            all.failed += part.failed;
            all
        });
        all.answered.sort_unstable_by(f64::total_cmp);
        all
    }

    /// The milliseconds within which this share was answered.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let at = (share * self.answered.len() as f64).ceil() as usize;
        let at = at.saturating_sub(1);
        self.answered.get(at).copied().unwrap_or(f64::NAN)
    }
}

/// So many requests a second, whether or not those before are answered. Time counts from when a request was
/// due, so that one that had to wait for its turn is as slow as its client finds it.
pub(crate) fn steady(
    address: SocketAddr,
    rate: f64,
    length: Duration,
    request: impl Fn(usize) -> (&'static str, String) + Sync,
) -> Outcome {
    let count = (rate * length.as_secs_f64()) as usize;
    let (next, started) = (AtomicUsize::new(0), Instant::now());
    let send = || {
        let (mut outcome, mut client) = (Outcome::default(), None);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return outcome;
            }
            let due = started + Duration::from_secs_f64(number as f64 / rate);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let (path, body) = request(number);
            let answer = ask(&mut client, address, path, &body);
            outcome.take(answer, due);
        }
    };
    all_of(SENDERS, &send)
}

/// So many clients, each with a request as soon as the one before is answered.
pub(crate) fn closed(
    address: SocketAddr,
    clients: usize,
    length: Duration,
    request: impl Fn(usize) -> (&'static str, String) + Sync,
) -> Outcome {
    let (next, started) = (AtomicUsize::new(0), Instant::now());
    let send = || {
        let (mut outcome, mut client) = (Outcome::default(), None);
        while started.elapsed() < length {
            let (path, body) = request(next.fetch_add(1, Ordering::Relaxed));
            let since = Instant::now();
            let answer = ask(&mut client, address, path, &body);
            outcome.take(answer, since);
        }
        outcome
    };
    all_of(clients, &send)
}

/// So many clients at once, each with one request.
pub(crate) fn crowd(
    address: SocketAddr,
    clients: usize,
    request: impl Fn(usize) -> (&'static str, String) + Sync,
) -> Outcome {
    let next = AtomicUsize::new(0);
    let send = || {
        let (path, body) = request(next.fetch_add(1, Ordering::Relaxed));
        let (since, mut outcome) = (Instant::now(), Outcome::default());
        outcome.take(ask(&mut None, address, path, &body), since);
        outcome
    };
    all_of(clients, &send)
}

/// Asks over the connection; without one, or with one that failed, over a new one.
fn ask(
    client: &mut Option<Client>,
    address: SocketAddr,
    path: &str,
    body: &str,
) -> io::Result<(u16, usize)> {
    let mut kept = match client.take() {
        Some(kept) => kept,
        None => Client::connect(address)?,
    };
    let answer = kept.post(path, body)?;
    *client = Some(kept);
    Ok(answer)
}

fn all_of(threads: usize, work: &(impl Fn() -> Outcome + Sync)) -> Outcome {
    thread::scope(|scope| {
        let started = (0..threads).map(|_| {
            thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, work)
        });
        let running: Vec<_> = started.collect();
        Outcome::merged(
            running
                .into_iter()
                .map(|one| match one.map(|one| one.join()) {
                    Ok(Ok(outcome)) => outcome,
                    // A client that could not even start has no answer.
                    _ => Outcome {
                        failed: 1,
                        ..Outcome::default()
                    },
                }),
        )
    })
}

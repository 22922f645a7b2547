//! The processes of several machines, by the websocket of `burn-communication`.
//!
//! A star: every node sends its vector to the first, which adds them in the order of nodes and
//! sends the sum back. A message is a byte that says what it is, and its content.

use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use burn::prelude::*;
use burn::tensor::{DType, TensorData};
use burn_communication::websocket::{WebSocket, WsServer};
use burn_communication::{
    Address, CommunicationChannel, Message, Protocol, ProtocolClient, ProtocolServer,
};
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use super::{DevicesError, Nodes};

type AtOrchestrator = <<WebSocket as Protocol>::Server as ProtocolServer>::Channel;
type AtOther = <<WebSocket as Protocol>::Client as ProtocolClient>::Channel;

const ROUTE: &str = "clover";

/// Values of one message: 8 MiB, below what a websocket's server takes by default.
const VALUES: usize = 1 << 21;

/// How often a first node that has not started yet is looked for.
const RETRY: Duration = Duration::from_millis(100);

/// What a message is.
const HELLO: u8 = 0;
const SUM: u8 = 1;
const FAILURE: u8 = 2;

/// This process among the others.
pub(super) struct Connected {
    node: usize,
    /// Devices of each node.
    devices: Vec<usize>,
    timeout: Duration,
    ends: Ends,
    runtime: Runtime,
}

/// The connections of this node.
enum Ends {
    /// To all other nodes, in their order.
    Orchestrator(Vec<AtOrchestrator>),
    /// To the first node.
    Other(Box<AtOther>),
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Connected")
            .field("node", &self.node)
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

impl Connected {
    /// Waits for all nodes.
    pub(super) fn join(
        nodes: &Nodes,
        devices: usize,
        timeout: Duration,
    ) -> Result<Self, DevicesError> {
        if nodes.node >= nodes.count {
            return Err(DevicesError::NoSuchNode {
                node: nodes.node,
                nodes: nodes.count,
            });
        }
        let port = port(&nodes.orchestrator)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("clover-nodes")
            .enable_all()
            .build()
            .map_err(|source| DevicesError::Service { source })?;
        let ends = match nodes.node {
            0 => Ends::Orchestrator(listen(&runtime, nodes, port, timeout)?),
            _ => Ends::Other(Box::new(runtime.block_on(call(nodes, timeout))?)),
        };
        let mut connected = Self {
            node: nodes.node,
            devices: vec![devices],
            timeout,
            ends,
            runtime,
        };
        let mut counts = vec![0.0; nodes.count];
        counts[nodes.node] = devices as f32;
        let counts = connected.sum_values(&counts)?;
        connected.devices = counts.iter().map(|&count| count as usize).collect();
        Ok(connected)
    }

    /// The rank of this node's first device.
    pub(super) fn first_rank(&self) -> usize {
        self.devices[..self.node].iter().sum()
    }

    /// Devices of all nodes.
    pub(super) fn world(&self) -> usize {
        self.devices.iter().sum()
    }

    /// The sum over nodes.
    pub(super) fn sum<B: Backend>(
        &mut self,
        values: Tensor<B, 1>,
    ) -> Result<Tensor<B, 1>, DevicesError> {
        let ([len], device) = (values.dims(), values.device());
        let values: Vec<f32> = values.into_data().iter::<f32>().collect();
        let mut sum = Vec::with_capacity(len);
        for part in values.chunks(VALUES) {
            sum.extend(self.sum_values(part)?);
        }
        let sum = TensorData::new(sum, [len]);
        Ok(Tensor::from_data(sum, (&device, DType::F32)))
    }

    fn sum_values(&mut self, own: &[f32]) -> Result<Vec<f32>, DevicesError> {
        let timeout = self.timeout;
        match &mut self.ends {
            Ends::Orchestrator(others) => self.runtime.block_on(async {
                let sum = add_all(others, own, timeout).await;
                let answer = match &sum {
                    Ok(sum) => message(SUM, &to_bytes(sum)),
                    Err(error) => message(FAILURE, error.to_string().as_bytes()),
                };
                for (other, end) in others.iter_mut().enumerate() {
                    let sent = send(end, &name(other + 1), timeout, answer.clone()).await;
                    // The first failure is the one to tell of.
                    if sum.is_ok() {
                        sent?;
                    }
                }
                sum
            }),
            Ends::Other(orchestrator) => self.runtime.block_on(async {
                let values = message(SUM, &to_bytes(own));
                send(orchestrator.as_mut(), &name(0), timeout, values).await?;
                // The first node may itself wait so long for another, and then says for which.
                receive_values(orchestrator.as_mut(), &name(0), 2 * timeout, own.len()).await
            }),
        }
    }
}

/// The sum in the order of nodes.
async fn add_all(
    others: &mut [AtOrchestrator],
    own: &[f32],
    timeout: Duration,
) -> Result<Vec<f32>, DevicesError> {
    let mut sum = own.to_vec();
    for (other, end) in others.iter_mut().enumerate() {
        let values = receive_values(end, &name(other + 1), timeout, own.len()).await?;
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value;
        }
    }
    Ok(sum)
}

/// Starts the service of the first node and waits until all others have called.
fn listen(
    runtime: &Runtime,
    nodes: &Nodes,
    port: u16,
    timeout: Duration,
) -> Result<Vec<AtOrchestrator>, DevicesError> {
    // The service itself does not say that its port is taken.
    TcpListener::bind(("0.0.0.0", port)).map_err(|source| DevicesError::Service { source })?;
    // It prints what it does, unless there already is somebody to tell.
    let _ = tracing_core::dispatcher::set_global_default(tracing_core::Dispatch::none());
    let (callers, called) = channel();
    let server = WsServer::new(port).route(ROUTE, async move |mut end: AtOrchestrator| {
        // One that says nothing sensible is no node.
        if let Ok(Some(hello)) = end.recv().await {
            let _ = callers.send((hello.data, end));
        }
    });
    runtime.spawn(server.serve(std::future::pending()));
    let mut ends: Vec<Option<AtOrchestrator>> = (1..nodes.count).map(|_| None).collect();
    let until = Instant::now() + timeout;
    while let Some(missing) = ends.iter().position(Option::is_none) {
        let left = until.saturating_duration_since(Instant::now());
        let Ok((hello, end)) = called.recv_timeout(left) else {
            return Err(silent(&name(missing + 1), timeout));
        };
        let caller = (1..nodes.count).find(|&node| hello == greeting(nodes, node));
        match caller.map(|node| &mut ends[node - 1]) {
            Some(free @ None) => *free = Some(end),
            Some(Some(_)) | None => {
                let reason = format!(
                    "{nodes} nodes were expected, each once",
                    nodes = nodes.count
                );
                let answer = message(FAILURE, reason.as_bytes());
                let _ = runtime.block_on(send(&mut { end }, "a caller", timeout, answer));
            }
        }
    }
    Ok(ends.into_iter().flatten().collect())
}

/// Calls the first node until it answers.
async fn call(nodes: &Nodes, timeout: Duration) -> Result<AtOther, DevicesError> {
    let wrong = |reason| DevicesError::Address {
        address: nodes.orchestrator.clone(),
        reason,
    };
    let address: Address = nodes.orchestrator.parse().map_err(wrong)?;
    let until = Instant::now() + timeout;
    loop {
        let end = <WebSocket as Protocol>::Client::connect(address.clone(), ROUTE);
        let left = until.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left, end).await {
            Ok(Some(mut end)) => {
                send(&mut end, &name(0), timeout, greeting(nodes, nodes.node)).await?;
                return Ok(end);
            }
            Ok(None) if Instant::now() < until => tokio::time::sleep(RETRY).await,
            _ => return Err(silent(&name(0), timeout)),
        }
    }
}

async fn send<C: CommunicationChannel>(
    end: &mut C,
    peer: &str,
    timeout: Duration,
    content: Bytes,
) -> Result<(), DevicesError> {
    match tokio::time::timeout(timeout, end.send(Message::new(content))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(lost(peer, "its connection is closed")),
        Err(_) => Err(silent(peer, timeout)),
    }
}

async fn receive_values<C: CommunicationChannel>(
    end: &mut C,
    peer: &str,
    timeout: Duration,
    len: usize,
) -> Result<Vec<f32>, DevicesError> {
    let content = match tokio::time::timeout(timeout, end.recv()).await {
        Ok(Ok(Some(message))) => message.data,
        Ok(_) => return Err(lost(peer, "its connection is closed")),
        Err(_) => return Err(silent(peer, timeout)),
    };
    match content.split_first() {
        Some((&SUM, bytes)) if bytes.len() == len * size_of::<f32>() => {
            let (values, _) = bytes.as_chunks();
            Ok(values
                .iter()
                .map(|&value| f32::from_le_bytes(value))
                .collect())
        }
        Some((&FAILURE, reason)) => Err(DevicesError::Told {
            peer: peer.to_owned(),
            reason: String::from_utf8_lossy(reason).into_owned(),
        }),
        _ => Err(lost(peer, "it sent a vector of another length")),
    }
}

/// Who calls, and among how many it counts itself.
fn greeting(nodes: &Nodes, node: usize) -> Bytes {
    message(HELLO, format!("{node} of {}", nodes.count).as_bytes())
}

fn message(what: u8, content: &[u8]) -> Bytes {
    [&[what], content].concat().into()
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn name(node: usize) -> String {
    format!("node {node}")
}

fn silent(peer: &str, timeout: Duration) -> DevicesError {
    DevicesError::Silent {
        peer: peer.to_owned(),
        seconds: timeout.as_secs(),
    }
}

fn lost(peer: &str, reason: &str) -> DevicesError {
    DevicesError::Lost {
        peer: peer.to_owned(),
        reason: reason.to_owned(),
    }
}

/// That of `ws://host:port`.
fn port(address: &str) -> Result<u16, DevicesError> {
    address
        .strip_prefix("ws://")
        .and_then(|rest| rest.rsplit_once(':'))
        .and_then(|(_, port)| port.parse().ok())
        .ok_or_else(|| DevicesError::Address {
            address: address.to_owned(),
            reason: "must have the form ws://host:port".to_owned(),
        })
}

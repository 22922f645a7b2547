//! The processes of several machines, by the tensor service of `burn-communication`.
//!
//! Each node exposes its vector under a number of its own and downloads those of the others: an
//! all-gather, added by every node in the order of nodes. Nothing is exposed twice under one number,
//! so no barrier is needed between two sums.

use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use burn::prelude::*;
use burn::tensor::{DType, TensorData};
use burn_communication::data_service::{TensorDataServer, TensorDataService};
use burn_communication::websocket::{WebSocket, WsServer};
use burn_communication::{Address, ProtocolServer};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::{DevicesError, Nodes};

/// Values of one message: 64 MiB, well below the bound of a websocket's frame.
const MESSAGE: usize = 1 << 24;

/// The service forgets a request that comes in while a tensor is being exposed, until it is
/// reminded.
const REMINDER: Duration = Duration::from_millis(5);

/// How often a node that has not started yet is looked for.
const RETRY: Duration = Duration::from_millis(100);

/// How long the last message may take to leave.
const FAREWELL: Duration = Duration::from_secs(10);

/// This process among the others.
pub(super) struct Connected<B: Backend> {
    node: usize,
    addresses: Vec<(String, Address)>,
    /// Devices of each node.
    devices: Vec<usize>,
    service: Arc<TensorDataService<B, WebSocket>>,
    next: AtomicU64,
    patience: Duration,
    stop: CancellationToken,
    runtime: Runtime,
}

impl<B: Backend> std::fmt::Debug for Connected<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Connected")
            .field("node", &self.node)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Connected<B> {
    /// Starts the service and waits for all nodes.
    pub(super) fn join(
        nodes: &Nodes,
        devices: usize,
        patience: Duration,
    ) -> Result<Self, DevicesError> {
        let hosts = nodes.addresses.iter().map(|address| host_and_port(address));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        let Some(&(_, port)) = hosts.get(nodes.node) else {
            return Err(DevicesError::NoSuchNode {
                node: nodes.node,
                nodes: hosts.len(),
            });
        };
        // The service itself does not say that its port is taken.
        TcpListener::bind(("0.0.0.0", port)).map_err(|source| DevicesError::Service { source })?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("clover-nodes")
            .enable_all()
            .build()
            .map_err(|source| DevicesError::Service { source })?;
        let mut connected = Self {
            node: nodes.node,
            addresses: parsed(&nodes.addresses)?,
            devices: vec![devices],
            service: Arc::new(TensorDataService::new(CancellationToken::new())),
            next: AtomicU64::new(0),
            patience,
            stop: CancellationToken::new(),
            runtime,
        };
        connected.serve(port);
        connected.wait_for_all(&hosts)?;
        connected.devices = connected.count_devices(devices)?;
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

    fn serve(&self, port: u16) {
        let stop = self.stop.clone();
        let server = WsServer::new(port)
            .route_tensor_data_service(Arc::clone(&self.service))
            .serve(async move { stop.cancelled().await });
        self.runtime.spawn(server);
        let service = Arc::clone(&self.service);
        self.runtime.spawn(async move {
            loop {
                tokio::time::sleep(REMINDER).await;
                service.new_tensor_notify.notify_waiters();
            }
        });
    }

    /// A node that is not there yet would end the first download.
    fn wait_for_all(&self, hosts: &[(String, u16)]) -> Result<(), DevicesError> {
        let started = Instant::now();
        for (node, host) in hosts.iter().enumerate() {
            while !reachable(host) {
                if started.elapsed() > self.patience {
                    return Err(self.silent(node));
                }
                std::thread::sleep(RETRY);
            }
        }
        Ok(())
    }

    fn count_devices(&self, own: usize) -> Result<Vec<usize>, DevicesError> {
        let data = TensorData::from([own as i64]);
        let counts = self.exchange(data, self.patience)?;
        let counts = counts.iter().map(|data| data.iter::<i64>().sum::<i64>());
        Ok(counts.map(|count| usize::try_from(count).unwrap_or(0)).collect())
    }

    /// The sum over nodes, added in their order.
    pub(super) fn sum(&self, values: Tensor<B, 1>) -> Result<Tensor<B, 1>, DevicesError> {
        let ([len], device) = (values.dims(), values.device());
        let mut parts = Vec::new();
        for start in (0..len).step_by(MESSAGE) {
            let part = values.clone().narrow(0, start, MESSAGE.min(len - start));
            let all = self.exchange(part.into_data(), self.patience)?;
            let mut sum: Option<Tensor<B, 1>> = None;
            for data in all {
                let addend = Tensor::from_data(data, (&device, DType::F32));
                sum = Some(match sum {
                    Some(sum) => sum + addend,
                    None => addend,
                });
            }
            parts.extend(sum);
        }
        Ok(Tensor::cat(parts, 0))
    }

    /// The data of every node, in their order.
    fn exchange(
        &self,
        own: TensorData,
        patience: Duration,
    ) -> Result<Vec<TensorData>, DevicesError> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let others = self.addresses.len() as u32 - 1;
        self.runtime.block_on(async {
            if others > 0 {
                let exposed = self.service.expose_data(own.clone(), others, number.into());
                exposed.await;
            }
            let downloads: Vec<_> = self
                .addresses
                .iter()
                .enumerate()
                .map(|(node, (_, address))| {
                    let (service, address) = (Arc::clone(&self.service), address.clone());
                    (node != self.node).then(|| {
                        tokio::spawn(async move {
                            service.download_tensor(address, number.into()).await
                        })
                    })
                })
                .collect();
            let until = tokio::time::Instant::now() + patience;
            let mut all = Vec::with_capacity(downloads.len());
            for (node, download) in downloads.into_iter().enumerate() {
                let data = match download {
                    Some(download) => tokio::time::timeout_at(until, download)
                        .await
                        .map_err(|_| self.silent(node))?
                        .ok()
                        .flatten()
                        .ok_or_else(|| self.lost(node, "its connection is closed"))?,
                    None => own.clone(),
                };
                if data.shape != own.shape {
                    return Err(self.lost(node, "it sent a vector of another length"));
                }
                all.push(data);
            }
            Ok(all)
        })
    }

    /// Waits until every node has come here, so that none still wants something from this one.
    pub(super) fn leave(&self) {
        // A node that misses this message has all the others: its complaint would be idle.
        let _ = self.exchange(TensorData::from([0_i64]), self.patience.min(FAREWELL));
    }

    fn name(&self, node: usize) -> String {
        format!("node {node} ({})", self.addresses[node].0)
    }

    fn silent(&self, node: usize) -> DevicesError {
        DevicesError::Silent {
            peer: self.name(node),
            seconds: self.patience.as_secs(),
        }
    }

    fn lost(&self, node: usize, reason: &str) -> DevicesError {
        DevicesError::Lost {
            peer: self.name(node),
            reason: reason.to_owned(),
        }
    }
}

impl<B: Backend> Drop for Connected<B> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The parts of `ws://host:port`.
fn host_and_port(address: &str) -> Result<(String, u16), DevicesError> {
    let wrong = || DevicesError::Address {
        address: address.to_owned(),
        reason: "must have the form ws://host:port".to_owned(),
    };
    let (host, port) = address
        .strip_prefix("ws://")
        .and_then(|rest| rest.rsplit_once(':'))
        .ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    Ok((host.to_owned(), port))
}

fn parsed(addresses: &[String]) -> Result<Vec<(String, Address)>, DevicesError> {
    addresses
        .iter()
        .map(|address| match address.parse() {
            Ok(parsed) => Ok((address.clone(), parsed)),
            Err(reason) => Err(DevicesError::Address {
                address: address.clone(),
                reason,
            }),
        })
        .collect()
}

fn reachable((host, port): &(String, u16)) -> bool {
    let Ok(mut found) = (host.as_str(), *port).to_socket_addrs() else {
        return false;
    };
    found.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
}

//! Several devices, and several machines, that train as one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::device::DeviceName;

/// Where to train.
#[derive(Args, Debug)]
pub(crate) struct Devices {
    /// Where to compute.
    #[arg(long, default_value_t)]
    device: DeviceName,
    /// Devices of this machine that train as one, each with its share of every batch, as in
    /// `cuda:0,cuda:1`. One that is named several times takes several shares.
    #[arg(
        long,
        value_delimiter = ',',
        conflicts_with = "device",
        value_name = "DEVICE[:NUMBER],.."
    )]
    devices: Vec<NumberedDevice>,
    #[command(flatten)]
    nodes: NodeOptions,
    /// Seconds that a device waits for another one before the run ends. The others wait while the
    /// first one validates and saves, so it must be longer than that takes.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    peer_timeout: u64,
}

#[derive(Args, Debug)]
struct NodeOptions {
    /// Processes, of this machine or several, that train as one. Each is started with the same
    /// options but `--node` and `--devices`, and reads and writes the same folders.
    #[arg(long, requires = "node", requires = "orchestrator")]
    nodes: Option<usize>,
    /// Which of them this one is, from 0.
    #[arg(long, requires = "nodes")]
    node: Option<usize>,
    /// Where node 0 listens for the others. They need no password: for trusted networks only.
    #[arg(long, requires = "nodes", value_name = "ws://HOST:PORT")]
    orchestrator: Option<String>,
}

/// A device by its backend and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumberedDevice {
    backend: DeviceName,
    number: u16,
}

/// The processes of a run, of which this is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodePlace {
    pub(crate) count: usize,
    pub(crate) node: usize,
    pub(crate) orchestrator: String,
}

/// The devices that a run was asked to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceGroup {
    pub(crate) backend: DeviceName,
    /// The number of each device of this process.
    pub(crate) numbers: Vec<u16>,
    pub(crate) nodes: Option<NodePlace>,
    pub(crate) timeout: Duration,
}

impl DeviceGroup {
    /// Whether nobody else takes part.
    pub(crate) fn is_alone(&self) -> bool {
        self.numbers.len() == 1 && self.nodes.is_none()
    }

    /// Whether this process writes what the run leaves behind.
    pub(crate) fn is_first_node(&self) -> bool {
        self.nodes.as_ref().is_none_or(|place| place.node == 0)
    }
}

impl Devices {
    /// What was asked for, where it makes sense.
    pub(crate) fn group(&self) -> Result<DeviceGroup> {
        let backend = match self.devices.first() {
            Some(first) => first.backend,
            None => self.device,
        };
        if let Some(other) = self.devices.iter().find(|other| other.backend != backend) {
            bail!("--devices: {other} is of another backend than the first");
        }
        let numbers = match self.devices.len() {
            0 => vec![0],
            _ => self.devices.iter().map(|device| device.number).collect(),
        };
        let group = DeviceGroup {
            backend,
            numbers,
            nodes: self.nodes.place()?,
            timeout: Duration::from_secs(self.peer_timeout),
        };
        ensure!(
            group.is_alone() || cfg!(feature = "collective"),
            "--devices and --nodes: this program was built without the feature `collective`"
        );
        Ok(group)
    }
}

impl NodeOptions {
    fn place(&self) -> Result<Option<NodePlace>> {
        let (Some(count), Some(node), Some(orchestrator)) =
            (self.nodes, self.node, &self.orchestrator)
        else {
            return Ok(None);
        };
        ensure!(
            node < count,
            "--node: there is no node {node} among {count}; the first is 0"
        );
        Ok(Some(NodePlace {
            count,
            node,
            orchestrator: orchestrator.clone(),
        }))
    }
}

impl FromStr for NumberedDevice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (backend, number) = match word.split_once(':') {
            Some((backend, number)) => {
                let parsed = number.parse();
                let parsed = parsed.map_err(|_| format!("`{number}` is no number of a device"))?;
                (backend, parsed)
            }
            None => (word, 0),
        };
        let backend = backend.parse()?;
        Ok(Self { backend, number })
    }
}

impl fmt::Display for NumberedDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.backend, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn group(options: &str) -> Result<DeviceGroup> {
        let line = format!("clover pretrain --data a.csv --vocab v.txt --out runs/x {options}");
        match Arguments::try_parse_from(line.trim().split(' '))?.command {
            Command::Pretrain(pretrain) => pretrain.devices.group(),
            _ => panic!("another command"),
        }
    }

    fn refusal(options: &str) -> String {
        group(options).unwrap_err().to_string()
    }

    #[test]
    fn a_run_is_alone_unless_told_otherwise() {
        let name = DeviceName::default();
        for options in [
            "",
            &format!("--devices {name}"),
            &format!("--device {name}"),
        ] {
            let group = group(options).unwrap();
            assert!(group.is_alone() && group.is_first_node(), "{options}");
            assert_eq!(group.numbers, [0]);
        }
    }

    #[cfg(feature = "collective")]
    #[test]
    fn devices_and_nodes_are_told_by_number() {
        let name = DeviceName::default();

        let options = format!(
            "--devices {name}:2,{name} --nodes 3 --node 1 --orchestrator ws://a:7 --peer-timeout 5"
        );
        let group = group(&options).unwrap();

        assert_eq!(group.numbers, [2, 0]);
        let place = group.nodes.as_ref().unwrap();
        assert_eq!((place.count, place.node), (3, 1));
        assert_eq!(place.orchestrator, "ws://a:7");
        assert_eq!(group.timeout, Duration::from_secs(5));
        assert!(!group.is_first_node());
    }

    #[test]
    fn half_told_and_impossible_groups_are_refused() {
        assert!(refusal("--devices tpu:0").contains("not built for `tpu`"));
        assert!(refusal("--nodes 2").contains("--node"));
        assert!(refusal("--nodes 2 --node 1").contains("--orchestrator"));
        let beyond = refusal("--nodes 2 --node 2 --orchestrator ws://a:7");
        assert!(beyond.contains("no node 2 among 2"), "{beyond}");
        assert!(refusal("--peer-timeout 0").contains("--peer-timeout"));
    }

    #[cfg(not(feature = "collective"))]
    #[test]
    fn several_devices_need_a_program_built_for_them() {
        let refused = refusal("--nodes 2 --node 0 --orchestrator ws://a:7");
        assert!(refused.contains("`collective`"), "{refused}");
    }
}

//! A backend that computes on flex and writes down what it was asked to do.
//!
//! It shows what a GPU would be asked to do: which operations, and how often the program waits for
//! their results. Hand-written kernels of flex do not reach it, so what runs is what every backend
//! without kernels of its own runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{DType, Shape, TensorData};
use burn_backend::{DTypeUsageSet, ExecutionError};
use burn_flex::{Flex, FlexDevice};
use burn_ir::{BaseOperationIr, ModuleOperationIr, OperationIr};
use burn_ir::{TensorId, TensorIr};
use burn_router::{
    BackendRouter, MultiBackendBridge, RouterTensor, Runner, RunnerChannel, RunnerClient,
    TensorHandle,
};
use burn_std::future::DynFut;

/// The backend whose operations are written down.
pub type RecordedBackend = BackendRouter<Recording>;

/// What was asked of the backend.
#[derive(Debug, Default, Clone)]
pub struct Record {
    /// Operations in all.
    pub operations: usize,
    /// Times that values were read back, so that the program waited.
    pub reads: usize,
    /// Tensors sent to the device.
    pub uploads: usize,
    /// The number of indices of each scatter: a walk that GPU backends make one by one.
    pub scatters: Vec<usize>,
}

static RECORD: Mutex<Record> = Mutex::new(Record {
    operations: 0,
    reads: 0,
    uploads: 0,
    scatters: Vec::new(),
});

fn record() -> MutexGuard<'static, Record> {
    RECORD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was asked since the last call, by the whole process.
pub fn take_record() -> Record {
    std::mem::take(&mut *record())
}

impl Record {
    fn add(&mut self, operation: &OperationIr) {
        match operation {
            OperationIr::Drop(_) => return,
            OperationIr::BaseFloat(BaseOperationIr::SelectAssign(scatter)) => {
                self.scatters.push(scatter.indices.shape[0]);
            }
            OperationIr::BaseFloat(BaseOperationIr::Scatter(scatter)) => {
                self.scatters.push(scatter.indices.shape[scatter.dim]);
            }
            OperationIr::Module(ModuleOperationIr::EmbeddingBackward(lookup)) => {
                self.scatters.push(lookup.indices.shape.num_elements());
            }
            _ => {}
        }
        self.operations += 1;
    }
}

/// The way to [`RecordedBackend`]'s one device.
#[derive(Debug, Clone)]
pub struct Recording;

/// Passes everything on.
#[derive(Debug, Clone)]
pub struct Recorder(Runner<Flex>);

impl RunnerClient for Recorder {
    type Device = FlexDevice;

    fn register_op(&self, operation: OperationIr) {
        record().add(&operation);
        self.0.register_op(operation);
    }

    fn read_tensor_async(&self, tensor: TensorIr) -> DynFut<Result<TensorData, ExecutionError>> {
        record().reads += 1;
        self.0.read_tensor_async(tensor)
    }

    fn sync(&self) -> Result<(), ExecutionError> {
        self.0.sync()
    }

    fn create_empty_handle(&self) -> TensorId {
        self.0.create_empty_handle()
    }

    fn register_tensor_data(&self, data: TensorData) -> RouterTensor<Self> {
        record().uploads += 1;
        let tensor = self.0.register_tensor_data_desc(data);
        RouterTensor::new(tensor.id, tensor.shape, tensor.dtype, self.clone())
    }

    fn device(&self) -> FlexDevice {
        self.0.device()
    }

    fn seed(&self, seed: u64) {
        self.0.seed(seed);
    }

    fn dtype_usage(&self, dtype: DType) -> DTypeUsageSet {
        self.0.dtype_usage(dtype)
    }
}

impl RunnerChannel for Recording {
    type Device = FlexDevice;
    type Bridge = OneDevice;
    type Client = Recorder;
    type FloatElem = f32;
    type IntElem = i32;
    type BoolElem = bool;

    fn name(_: &FlexDevice) -> String {
        "recorded".into()
    }

    fn init_client(device: &FlexDevice) -> Recorder {
        Recorder(Runner::new(*device))
    }

    fn get_tensor_handle(tensor: &TensorIr, client: &Recorder) -> TensorHandle<OneDevice> {
        client.0.get_tensor_handle(tensor)
    }

    fn register_tensor(
        client: &Recorder,
        handle: TensorHandle<OneDevice>,
        shape: Shape,
        dtype: DType,
    ) -> RouterTensor<Recorder> {
        client
            .0
            .register_tensor(handle, shape, dtype, client.clone())
    }
}

/// There is one device, so nothing moves between devices.
#[derive(Debug)]
pub struct OneDevice;

impl MultiBackendBridge for OneDevice {
    type TensorHandle = <Flex as burn_ir::BackendIr>::Handle;
    type Device = FlexDevice;

    fn change_backend_float(
        tensor: Self::TensorHandle,
        _: Shape,
        _: &FlexDevice,
    ) -> Self::TensorHandle {
        tensor
    }

    fn change_backend_int(
        tensor: Self::TensorHandle,
        _: Shape,
        _: &FlexDevice,
    ) -> Self::TensorHandle {
        tensor
    }

    fn change_backend_bool(
        tensor: Self::TensorHandle,
        _: Shape,
        _: &FlexDevice,
    ) -> Self::TensorHandle {
        tensor
    }
}

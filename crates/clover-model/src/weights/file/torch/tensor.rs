//! Tensors, as the calls in a pickle describe them.

use clover_pickle::{Node, Pickle, Place};

use super::storage::{Storage, StorageType, whole};

/// More axes than PyTorch's tensors have.
const MAX_AXES: usize = 64;

/// Calls around a tensor's own: a parameter of a subclass needs two.
const MAX_WRAPPED: usize = 4;

/// A view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tensor {
    pub(super) storage: Storage,
    pub(super) stored_as: StorageType,
    /// In elements of the tensor.
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    /// In elements of the tensor.
    pub(super) strides: Vec<u64>,
}

/// What a call in a pickle would make.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Made {
    Tensor(Box<Tensor>),
    /// A tensor of a form that is not read: sparse, quantized.
    OtherTensor(String),
    /// Something else, by the name of the function or class where there is one.
    Other(Option<String>),
}

/// What a call would make, or why it cannot be told.
pub(super) fn made(
    pickle: &Pickle,
    mut callee: Place,
    mut arguments: Place,
) -> Result<Made, &'static str> {
    for _ in 0..MAX_WRAPPED {
        let Node::Global(function) = pickle.node(callee) else {
            return Ok(Made::Other(None));
        };
        let Node::List(list) = pickle.node(arguments) else {
            return Ok(Made::Other(Some(function.to_string())));
        };
        match &**function {
            "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor" => {
                return view(pickle, list, None);
            }
            "torch._utils._rebuild_tensor_v3" => {
                let dtype = list.get(6).ok_or("its type is missing")?;
                return view(pickle, list, Some(*dtype));
            }
            // The tensor of a parameter comes first.
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
                let inner = list.first().ok_or("its values are missing")?;
                let Node::Call {
                    callee: function,
                    arguments: values,
                } = pickle.node(*inner)
                else {
                    return Err("its values are no tensor");
                };
                (callee, arguments) = (*function, *values);
            }
            // A function, a class, and the function's arguments.
            "torch._tensor._rebuild_from_type_v2" | "torch.tensor._rebuild_from_type_v2" => {
                let [function, _class, values, ..] = **list else {
                    return Err("its values are missing");
                };
                (callee, arguments) = (function, values);
            }
            name if name.starts_with("torch._utils._rebuild_") => {
                return Ok(Made::OtherTensor(name.to_owned()));
            }
            name => return Ok(Made::Other(Some(name.to_owned()))),
        }
    }
    Err("it is wrapped too often")
}

/// `(storage, offset, shape, strides, ..)`.
fn view(pickle: &Pickle, list: &[Place], dtype: Option<Place>) -> Result<Made, &'static str> {
    let [storage, offset, shape, strides, ..] = *list else {
        return Err("its description is too short");
    };
    let Node::Persistent(name) = pickle.node(storage) else {
        return Err("its storage is not named");
    };
    let storage = Storage::read(pickle, *name).ok_or("its storage is not named as PyTorch does")?;
    let stored_as = match dtype.map(|dtype| pickle.node(dtype)) {
        None => storage.stored_as.clone(),
        Some(Node::Global(name)) => StorageType::of(name).ok_or("its type is unknown")?,
        Some(_) => return Err("its type is unknown"),
    };
    let numbers = |place: Place| match pickle.node(place) {
        Node::List(list) if list.len() <= MAX_AXES => {
            list.iter().map(|&number| whole(pickle, number)).collect()
        }
        _ => None,
    };
    let shape: Option<Vec<u64>> = numbers(shape);
    let strides: Option<Vec<u64>> = numbers(strides);
    let (Some(shape), Some(strides)) = (shape, strides) else {
        return Err("its shape or its strides are no numbers from zero on");
    };
    if shape.len() != strides.len() {
        return Err("it has more axes than strides, or fewer");
    }
    let shape: Result<Vec<usize>, _> = shape.into_iter().map(usize::try_from).collect();
    let shape = shape.map_err(|_| "its shape is too large for this machine")?;
    if crate::weights::file::stored::count(&shape).is_none() {
        return Err("its shape has more elements than can be counted");
    }
    Ok(Made::Tensor(Box::new(Tensor {
        storage,
        stored_as,
        offset: whole(pickle, offset).ok_or("its place in its storage is no number")?,
        shape,
        strides,
    })))
}

//! PyTorch's checkpoints: a pickle that says which tensor is which part of which storage, and the
//! storages beside it.

mod archive;
mod legacy;
mod names;
mod storage;
mod tensor;

pub(super) use archive::contents as archive_contents;
pub(super) use legacy::contents as legacy_contents;

use std::collections::{BTreeSet, HashMap};

use super::stored::{Location, StoredTensor, UnreadableTensor};
use super::{Contents, FileFault};
use names::Named;
use storage::{Storage, StorageType};
use tensor::Tensor;

/// The largest pickle read; a checkpoint of a thousand tensors and its optimizer's state takes a
/// five-hundredth of it.
const MAX_PICKLE_BYTES: u64 = 256 << 20;

/// Where the bytes of a storage stand.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    bytes: u64,
    checksum: Option<u32>,
}

/// Puts names and places together; `place` says where the storage with a key stands.
fn assemble(
    named: Named,
    mut place: impl FnMut(&Storage) -> Result<Place, FileFault>,
) -> Result<Contents, FileFault> {
    let mut places: HashMap<String, Place> = HashMap::new();
    let mut names = BTreeSet::new();
    let mut contents = Contents {
        other_objects: named.other_objects,
        ..Contents::default()
    };
    for (name, tensor) in named.tensors {
        if !names.insert(name.clone()) {
            return Err(FileFault::Duplicate { name });
        }
        let storage = &tensor.storage;
        let StorageType::Known(dtype) = tensor.stored_as else {
            let stored_as = tensor.stored_as.to_string();
            contents
                .unreadable
                .push(UnreadableTensor { name, stored_as });
            continue;
        };
        let place = match places.get(&storage.key) {
            Some(place) => *place,
            None => {
                let found = place(storage)?;
                places.insert(storage.key.clone(), found);
                found
            }
        };
        let size = dtype.size() as u64;
        let location = location(&tensor, place, size).map_err(|reason| FileFault::Tensor {
            name: name.clone(),
            reason,
        })?;
        let entry = StoredTensor {
            name,
            shape: tensor.shape,
            dtype,
        };
        contents.tensors.push((entry, location));
    }
    let unreadable = named.unreadable.into_iter();
    contents.unreadable.extend(unreadable);
    Ok(contents)
}

fn location(tensor: &Tensor, place: Place, size: u64) -> Result<Location, &'static str> {
    let claimed = tensor
        .storage
        .bytes()
        .ok_or("its storage cannot be counted")?;
    if claimed > place.bytes {
        return Err("its storage has fewer bytes than the pickle says");
    }
    let elements = place.bytes / size;
    let offset = tensor.storage.view_offset.checked_add(tensor.offset);
    let location = Location {
        source: 0,
        start: place.start,
        storage: elements,
        offset: offset.ok_or("its place cannot be counted")?,
        strides: tensor.strides.clone(),
        checksum: place.checksum.filter(|_| elements * size == place.bytes),
    };
    match location.extent(&tensor.shape) {
        Some(_) => Ok(location),
        None => Err("it reaches beyond its storage"),
    }
}

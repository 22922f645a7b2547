//! Files and folders as a program that may be killed, and reads what others wrote, treats them.

mod lock;
mod regular;
mod shown_path;
mod whole_file;

pub use lock::FolderLock;
pub use regular::{open_regular, read_regular};
pub use shown_path::without_detours;
pub use whole_file::{remove_half_written, sync_folder, write_whole};

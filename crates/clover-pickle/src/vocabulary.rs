//! Which instructions are carried out.

/// Which instructions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// Those that build plain data.
    Plain,
    /// Those of PyTorch's checkpoints as well.
    Checkpoint,
}

impl Vocabulary {
    /// The most values that are made, remembered ones counted each time they are used.
    pub(super) fn max_values(self) -> usize {
        match self {
            // 6 million entries of an annotation need as many.
            Self::Plain => 32 << 20,
            // A tensor needs about 30: 270,000 tensors.
            Self::Checkpoint => 8 << 20,
        }
    }
}

/// Modules whose functions run programs, open files or connect somewhere: no checkpoint names them
/// with good intentions.
const MODULES: &[&str] = &[
    "asyncio",
    "code",
    "commands",
    "ctypes",
    "importlib",
    "multiprocessing",
    "nt",
    "os",
    "pdb",
    "pip",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "timeit",
    "webbrowser",
];

const BUILTINS: &[&str] = &["__import__", "compile", "eval", "exec", "execfile", "open"];

/// Whether a pickle that names this means to run code when Python opens it.
///
/// Nothing is called here either way. This is no shield but a word to the reader, who may open the
/// same file in Python: the list is of what is seen, not of all that is possible.
pub(super) fn runs_code(module: &str, name: &str) -> bool {
    let package = module.split('.').next().unwrap_or(module);
    match package {
        "builtins" | "__builtin__" => BUILTINS.contains(&name),
        _ => MODULES.contains(&package),
    }
}

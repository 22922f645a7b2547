//! The instructions that make more than plain data, by name.

use super::PickleFault;

/// Why an instruction is not carried out.
pub(super) fn refusal(code: u8) -> PickleFault {
    let name = match code {
        b'c' => "GLOBAL",
        0x93 => "STACK_GLOBAL",
        b'R' => "REDUCE",
        b'b' => "BUILD",
        b'i' => "INST",
        b'o' => "OBJ",
        0x81 => "NEWOBJ",
        0x92 => "NEWOBJ_EX",
        0x82 => "EXT1",
        0x83 => "EXT2",
        0x84 => "EXT4",
        b'P' => "PERSID",
        b'Q' => "BINPERSID",
        0x97 => "NEXT_BUFFER",
        0x98 => "READONLY_BUFFER",
        code => return PickleFault::UnknownOpcode { code },
    };
    PickleFault::Refused { name, code }
}

use super::*;
use crate::dataset::shards::tar_of;
use std::io::Cursor;

/// A member's name and content.
type Named = (String, Vec<u8>);

/// The members, and how the walk ended.
fn walk(tar: &[u8]) -> (Vec<Named>, Option<(u64, &'static str)>) {
    let mut members = Members::new(Cursor::new(tar), tar.len() as u64);
    let mut found = Vec::new();
    loop {
        match members.next_member() {
            Ok(Some(member)) => {
                let from = member.offset as usize;
                let content = tar[from..from + member.length as usize].to_vec();
                found.push((String::from_utf8_lossy(&member.name).into_owned(), content));
            }
            Ok(None) => return (found, None),
            Err(WalkEnd::Fault { offset, fault }) => return (found, Some((offset, fault))),
            Err(WalkEnd::Io(error)) => panic!("{error}"),
        }
    }
}

fn header(kind: EntryType, name: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header
}

fn block(content: &[u8]) -> Vec<u8> {
    let mut block = content.to_vec();
    block.resize(content.len().next_multiple_of(512), 0);
    block
}

#[test]
fn contents_are_found_where_they_lie() {
    let long = format!("{}/a.txt", "folder".repeat(30));
    let content = vec![7; 70_000];
    let tar = tar_of(&[("a.mp4", &content), (&long, b"a cat"), ("b.json", b"{}")]);

    let (members, fault) = walk(&tar);

    assert_eq!(fault, None);
    assert_eq!(members[0], ("a.mp4".to_owned(), content));
    assert_eq!(members[1], (long, b"a cat".to_vec()));
    assert_eq!(members[2], ("b.json".to_owned(), b"{}".to_vec()));
}

#[test]
fn a_pax_header_renames_and_resizes_the_member_after_it() {
    let records = b"18 path=long/name\n9 size=3\n";
    let mut tar = header(EntryType::XHeader, "pax", records.len() as u64)
        .as_bytes()
        .to_vec();
    tar.extend(block(records));
    tar.extend(header(EntryType::Regular, "short", 0).as_bytes());
    tar.extend(block(b"abc"));
    tar.extend(header(EntryType::Regular, "next", 1).as_bytes());
    tar.extend(block(b"d"));

    let (members, fault) = walk(&tar);

    assert_eq!(fault, None);
    assert_eq!(members[0], ("long/name".to_owned(), b"abc".to_vec()));
    assert_eq!(members[1], ("next".to_owned(), b"d".to_vec()));
}

#[test]
fn a_member_with_holes_is_passed_over_whole() {
    let mut sparse = header(EntryType::GNUSparse, "holes.jpg", 512);
    sparse.as_gnu_mut().unwrap().set_is_extended(true);
    sparse.set_cksum();
    let mut tar = sparse.as_bytes().to_vec();
    tar.extend([0; 512]);
    tar.extend(block(b"data"));
    tar.extend(header(EntryType::Regular, "next", 1).as_bytes());
    tar.extend(block(b"d"));
    let mut members = Members::new(Cursor::new(&tar), tar.len() as u64);

    let [first, second] = [(); 2].map(|()| members.next_member().unwrap().unwrap());

    assert_eq!(first.storage, Storage::Sparse);
    assert_eq!((second.name, second.offset), (b"next".to_vec(), 4 * 512));
}

#[test]
fn sizes_beyond_the_file_end_the_walk_at_their_header() {
    let mut tar = tar_of(&[("a.txt", b"a cat")]);
    tar.truncate(1_024);
    tar.extend(header(EntryType::Regular, "b.txt", u64::MAX / 2).as_bytes());

    let (members, fault) = walk(&tar);

    assert_eq!(members.len(), 1);
    assert_eq!(fault, Some((1_024, "a member is cut short")));
}

#[test]
fn an_endless_extended_header_is_refused() {
    let mut tar = header(EntryType::GNULongName, "long", 1 << 20)
        .as_bytes()
        .to_vec();
    tar.extend(vec![b'a'; 1 << 20]);

    assert_eq!(walk(&tar).1, Some((0, "an extended header is too long")));
}

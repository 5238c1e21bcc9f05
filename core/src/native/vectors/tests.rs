//! Forged headers; that whole files of every kind are read is shown by the import tests, with files of other programs.

use std::fs;

use super::*;

/// An npy file of that header and so many bytes of numbers.
fn npy(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

fn header(descr: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")
}

fn refusal(file: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.npy");
    fs::write(&path, file).unwrap();
    match VectorFile::read_all(&path, None) {
        Err(error @ StoreError::BadVectors { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn forged_headers_are_refused_before_anything_is_allocated() {
    let largest = u64::MAX;
    for (header, bytes, expected) in [
        (header("'<f4'", "(2, 3)"), 23, "it is not whole"),
        (header("'<f4'", "(2, 3)"), 25, "it is not whole"),
        (header("'<f4'", &format!("({largest}, {largest})")), 24, "it is not whole"),
        (header("'<f4'", &format!("({largest}, 4)")), 24, "it is not whole"),
        (header("'<f4'", "(0, 70000)"), 0, "at most 65536 are possible"),
        (header("'<f4'", "(0, 0)"), 0, "its vectors are empty"),
        (header("'<f4'", "(6,)"), 24, "it has 1 axes"),
        (header("'<f4'", "(1, 2, 3)"), 24, "it has 3 axes"),
        (header("'<f4'", "(2, -3)"), 24, "no readable shape"),
        (header("'<f4'", "2"), 24, "it has 0 axes"),
        (header("'<c8'", "(2, 3)"), 48, "its numbers are \"c8\""),
        (header("[('a', '<f4')]", "(2, 3)"), 24, "of named fields"),
        (header("'<i8'", "(2, 3)"), 48, "it holds integers"),
        ("{'descr': '<f4'}".into(), 24, "its header has no \"fortran_order\""),
        (String::new(), 0, "its header has no \"descr\""),
    ] {
        let told = refusal(&npy(&header, bytes));
        assert!(told.contains(expected), "{header}: {told}");
    }
    assert!(refusal(b"\x93NUMPY\x07\x00\x00\x00").contains("npy version 7"));
    assert!(refusal(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").contains("more than any array"));
}

#[test]
fn an_empty_array_has_no_rows_and_a_cut_header_is_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.npy");
    fs::write(&path, npy(&header("'<f8'", "(0, 3)"), 0)).unwrap();
    assert!(VectorFile::read_all(&path, None).unwrap().is_empty());
    let whole = npy(&header("'<f4'", "(1, 1)"), 4);
    for length in [0, 5, 8, 9, 20] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(VectorFile::read_all(&path, None).is_err(), "{length} bytes");
    }
}

#[test]
fn row_numbers_are_read_in_both_widths_and_byte_orders() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.npy");
    let read = |descr: &str, numbers: &[u8]| {
        let mut file = npy(&header(descr, "(2, 1)"), 0);
        file.extend(numbers);
        fs::write(&path, file).unwrap();
        read_integers(&path)
    };
    let narrow = [7i32, -1].map(i32::to_le_bytes).concat();
    let wide = [7i64, -1].map(i64::to_be_bytes).concat();
    let expected = vec![vec![7], vec![-1]];
    assert_eq!(read("'<i4'", &narrow).unwrap(), expected);
    assert_eq!(read("'>i8'", &wide).unwrap(), expected);
    assert!(read("'<f4'", &narrow).unwrap_err().to_string().contains("not integers"));
}

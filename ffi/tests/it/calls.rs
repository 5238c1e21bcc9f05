//! The functions, called as C calls them: values, views, errors, damage.

use std::{
    ffi::{CStr, CString},
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use portolan::*;
use safer_ffi::prelude::*;

use crate::sample::{release, NEAREST};

type Handle<T> = Option<repr_c::Box<T>>;

/// A text that the library lends.
fn text<'a>(view: *const safer_ffi::c_char) -> &'a str {
    assert!(!view.is_null());
    // SAFETY: the library ends its texts with a NUL, and the tests keep the handle until they have read the text.
    unsafe { CStr::from_ptr(view.cast()) }.to_str().unwrap()
}

fn open(folder: impl AsRef<Path>) -> Result<Handle<Release>, (u32, Kind, String)> {
    let folder = CString::new(folder.as_ref().to_str().unwrap()).unwrap();
    let (mut release, mut error) = (None, None);
    let code = portolan_release_open(
        Some(folder.as_c_str().into()),
        Some(release.manually_drop_mut().as_out()),
        Some(error.manually_drop_mut().as_out()),
    );
    told(code, error).map(|()| release)
}

fn query(release: &Handle<Release>, sql: &str) -> Result<Handle<Answer>, (u32, Kind, String)> {
    let sql = CString::new(sql).unwrap();
    let (mut result, mut error) = (None, None);
    let code = portolan_query(
        release.as_deref(),
        Some(sql.as_c_str().into()),
        Some(result.manually_drop_mut().as_out()),
        Some(error.manually_drop_mut().as_out()),
    );
    told(code, error).map(|()| result)
}

fn verify(release: &Handle<Release>) -> Result<(), (u32, Kind, String)> {
    let mut error = None;
    let code = portolan_release_verify(release.as_deref(), Some(error.manually_drop_mut().as_out()));
    told(code, error)
}

/// The error, which must be there exactly when the code is not 0.
fn told(code: u32, error: Handle<ErrorObject>) -> Result<(), (u32, Kind, String)> {
    assert_eq!(portolan_error_code(error.as_deref()), code);
    assert_eq!(error.is_some(), code != 0);
    let told = (
        code,
        portolan_error_kind(error.as_deref()),
        text(portolan_error_message(error.as_deref())).to_owned(),
    );
    portolan_error_free(error);
    if code == 0 {
        Ok(())
    } else {
        Err(told)
    }
}

fn value(result: &Handle<Answer>, row: usize, column: usize) -> ValueView {
    let mut value = None;
    let mut place = std::mem::MaybeUninit::uninit();
    if portolan_result_value(result.as_deref(), row, column, Some(place.as_out())) == 0 {
        // SAFETY: the library wrote the place, for it returned 0.
        value = Some(unsafe { place.assume_init() });
    }
    value.unwrap()
}

#[test]
fn a_release_tells_what_it_holds() {
    let folder = release();
    let release = open(&folder).unwrap();
    assert_eq!(text(portolan_release_id(release.as_deref())).len(), 64);
    assert_eq!(portolan_release_collection_count(release.as_deref()), 2);
    assert_eq!(text(portolan_release_collection_name(release.as_deref(), 1)), "deeds");
    assert_eq!(portolan_release_collection_rows(release.as_deref(), 0), 40);
    assert!(portolan_release_collection_name(release.as_deref(), 2).is_null());
    verify(&release).unwrap();
    portolan_release_free(release);
}

#[test]
fn rows_are_those_of_the_json_and_outlive_the_release() {
    let folder = release();
    let release = open(&folder).unwrap();
    let result = query(&release, NEAREST).unwrap();
    portolan_release_free(release);
    let view = result.as_deref();
    let json: serde_json::Value = serde_json::from_str(text(portolan_result_json(view))).unwrap();
    assert_eq!(portolan_result_row_count(view), 5);
    assert_eq!(portolan_result_column_count(view), 3);
    assert_eq!(text(portolan_result_column_name(view, 2)), json["columns"][2]);
    assert_eq!(portolan_result_asked_count(view), 2);
    for row in 0..5 {
        assert_eq!(text(portolan_result_row_id(view, row)), json["row_ids"][row]);
        assert_eq!(text(value(&result, row, 1).text), json["rows"][row]["document"]);
        let collection = text(portolan_result_row_collection(view, row));
        assert!(text(portolan_result_row_id(view, row)).starts_with(collection));
        assert!(portolan_result_row_distance(view, row).is_finite());
    }
    assert!(portolan_result_explanation(view).is_null());
    portolan_result_free(result);
}

#[test]
fn values_of_every_type_are_seen() {
    let folder = release();
    let release = open(&folder).unwrap();
    let sql =
        "SELECT metadata.born, metadata.noise, metadata.size, metadata.tame, metadata.weight, metadata \
               FROM deeds WHERE id = 'deeds-0003' OR id = 'deeds-0004'";
    let result = query(&release, sql).unwrap();
    let cell = |column| value(&result, 1, column);
    assert_eq!(cell(2).r#type, ValueType::Int);
    assert_eq!((cell(2).integer, cell(2).number, text(cell(2).text)), (4, 4.0, "4"));
    assert_eq!((cell(3).r#type, cell(3).boolean, text(cell(3).text)), (ValueType::Bool, true, "true"));
    assert_eq!((cell(4).r#type, cell(4).number, text(cell(4).text)), (ValueType::Float, 4.5, "4.5"));
    assert_eq!((value(&result, 0, 2).r#type, text(value(&result, 0, 2).text)), (ValueType::Null, "null"));
    assert_eq!(cell(1).r#type, ValueType::Text);
    assert_eq!((text(cell(1).text), cell(1).text_bytes), ("me", 5));
    assert_eq!(cell(5).r#type, ValueType::Object);
    let object: serde_json::Value = serde_json::from_str(text(cell(5).text)).unwrap();
    assert_eq!(object["noise"], "me\0ow");
    assert!(text(cell(0).text).starts_with("1970-01-01T00:00:04"), "{}", text(cell(0).text));
    assert!(portolan_result_row_distance(result.as_deref(), 0).is_nan());
    portolan_result_free(result);
    portolan_release_free(release);
}

#[test]
fn an_explanation_reads_nothing() {
    let folder = release();
    let release = open(&folder).unwrap();
    let result = query(&release, &format!("EXPLAIN {NEAREST}")).unwrap();
    assert_eq!(portolan_result_row_count(result.as_deref()), 0);
    assert!(!text(portolan_result_explanation(result.as_deref())).is_empty());
    portolan_result_free(result);
    portolan_release_free(release);
}

#[test]
fn mistakes_say_their_number_whose_turn_it_is_and_what_to_do() {
    let folder = release();
    let release = open(&folder).unwrap();
    let (code, kind, message) = query(&release, "SELECT FROM").unwrap_err();
    assert_eq!((code / 1000, kind), (1, Kind::Usage), "{message}");
    assert!(message.starts_with("1:"), "{message}");
    let (code, kind, message) = query(&release, "SELECT id FROM beats").unwrap_err();
    assert_eq!((code, kind), (Code::UnknownCollection as u32, Kind::NotFound));
    assert!(message.contains("beasts"), "{message}");
    let (code, kind, _) = open("/no/such/folder").unwrap_err();
    assert_eq!((code, kind), (Code::File as u32, Kind::Io));
    query(&release, NEAREST).unwrap();
    portolan_release_free(release);
}

/// Changes one byte of a file where it stands; twice is not at all.
fn flip(path: &Path, place: usize) {
    let mut file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(place as u64)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(place as u64)).unwrap();
    file.write_all(&[byte[0] ^ 0x40]).unwrap();
}

/// The release with a byte of a file changed: opened, verified and asked; what each of the three said.
fn meet_damage(folder: &Path, name: &str, place: usize) -> [Option<(u32, Kind, String)>; 3] {
    flip(&folder.join(name), place);
    let said = match open(folder) {
        Err(error) => [Some(error), None, None],
        Ok(release) => {
            let said = [None, verify(&release).err(), query(&release, NEAREST).err()];
            portolan_release_free(release);
            said
        }
    };
    flip(&folder.join(name), place);
    said
}

#[test]
fn no_damaged_byte_goes_unnoticed_or_kills_the_caller() {
    let folder = release();
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let length = fs::metadata(folder.path().join(&name)).unwrap().len() as usize;
        let step = if name == "release.json" { 7 } else { 1 };
        for place in (0..length).step_by(step) {
            let said = meet_damage(folder.path(), &name, place);
            let errors: Vec<_> = said.iter().flatten().collect();
            assert!(
                errors.iter().all(|error| error.0 != Code::Panic as u32),
                "{name} byte {place}: {errors:?}"
            );
            // The description carries no checksum of its own: a changed letter of a name is another name.
            if name != "release.json" {
                let known = |kind| matches!(kind, Kind::Damaged | Kind::Unsupported);
                assert!(
                    said[1].is_some() && errors.iter().all(|error| known(error.1)),
                    "{name} {place}: {said:?}"
                );
            }
        }
    }
}

#[test]
fn a_release_of_another_version_says_which_side_is_too_old() {
    let folder = release();
    let path = folder.path().join("release.json");
    let json = fs::read_to_string(&path).unwrap();
    fs::write(&path, json.replacen("\"layout\":1", "\"layout\":7", 1)).unwrap();
    let (code, kind, message) = open(&folder).unwrap_err();
    assert_eq!((code, kind), (Code::TooNew as u32, Kind::Unsupported));
    assert!(message.contains("format 7") && message.contains("upgrade"), "{message}");
}

#[test]
fn truncated_and_missing_files_are_told_apart() {
    let folder = release();
    let path = folder.path().join("beasts.portolan");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(open(&folder).unwrap_err().0, Code::WrongLength as u32);
    fs::remove_file(&path).unwrap();
    assert_eq!(open(&folder).unwrap_err().0, Code::MissingFile as u32);
}

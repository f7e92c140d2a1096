//! Stored files in a folder.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use bytes::Bytes;
use caliber_store::objects::{ObjectError, ObjectInfo, Objects};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;

const MEGABYTE: usize = 1 << 20;

fn objects() -> (TempDir, Objects) {
    let folder = TempDir::new().unwrap();
    let objects = Objects::open(folder.path().join("files").to_str().unwrap()).unwrap();
    (folder, objects)
}

/// So many chunks of a megabyte.
fn chunks(count: usize) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> {
    stream::iter((0..count).map(|index| Ok(Bytes::from(vec![index as u8; MEGABYTE]))))
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

async fn keys(objects: &Objects, prefix: &str, before: DateTime<Utc>) -> BTreeSet<String> {
    let found: Vec<ObjectInfo> = objects.list_before(prefix, before).unwrap().try_collect().await.unwrap();
    found.into_iter().map(|info| info.key).collect()
}

fn soon() -> DateTime<Utc> {
    DateTime::<Utc>::from(std::time::SystemTime::now()) + TimeDelta::hours(1)
}

#[tokio::test]
async fn size_and_hash_are_those_of_the_bytes() {
    let (_folder, objects) = objects();
    // From FIPS 180-2 and NESSIE: the empty text, "abc", and a million times "a".
    let cases = [
        (vec![], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (vec!["abc".to_owned()], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            vec!["a".repeat(999); 1000].into_iter().chain(["a".repeat(1000)]).collect(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ];
    for (texts, sha256) in cases {
        let size: usize = texts.iter().map(String::len).sum();
        let bytes = stream::iter(texts).map(|text| Ok::<_, io::Error>(Bytes::from(text)));
        let stored = objects.put("a/b", None, bytes).await.unwrap();
        assert_eq!((stored.size, stored.sha256.as_str()), (size as u64, sha256));
        assert_eq!(objects.get_bytes("a/b").await.unwrap().len(), size);
    }
}

#[tokio::test]
async fn what_comes_in_parts_is_stored_whole() {
    let (folder, objects) = objects();
    let stored = objects.put("big", Some(13 * MEGABYTE as u64), chunks(13)).await.unwrap();
    let (size, bytes) = objects.get("big").await.unwrap();
    let read: Vec<Bytes> = bytes.try_collect().await.unwrap();
    let read = read.concat();
    assert_eq!((stored.size, size), (13 * MEGABYTE as u64, 13 * MEGABYTE as u64));
    for (index, chunk) in read.chunks(MEGABYTE).enumerate() {
        assert!(chunk.iter().all(|byte| *byte == index as u8), "megabyte {index}");
    }
    let copy = folder.path().join("copy");
    std::fs::write(&copy, &read).unwrap();
    assert_eq!(objects.put_file("again", &copy).await.unwrap(), stored);
}

#[tokio::test]
async fn one_byte_too_many_keeps_nothing() {
    let (folder, objects) = objects();
    let before = objects.put_bytes("small", Bytes::from_static(b"before")).await.unwrap();
    for (key, megabytes) in [("small", 1), ("large", 12)] {
        let limit = (megabytes * MEGABYTE) as u64 - 1;
        let error = objects.put(key, Some(limit), chunks(megabytes)).await.unwrap_err();
        assert!(matches!(error, ObjectError::TooLarge { limit: l } if l == limit), "{error:?}");
        objects.put("fits", Some(limit + 1), chunks(megabytes)).await.unwrap();
    }
    assert_eq!(files(&folder.path().join("files")), ["fits".to_owned(), "small".to_owned()].into());
    assert_eq!(objects.get_bytes("small").await.unwrap(), "before");
    assert_eq!(objects.info("small").await.unwrap().unwrap().size, before.size);
}

#[tokio::test]
async fn what_breaks_off_keeps_nothing() {
    let (folder, objects) = objects();
    for megabytes in [0, 1, 11] {
        let broken = chunks(megabytes).chain(stream::once(async { Err(io::Error::other("client left")) }));
        let error = objects.put("k", None, broken).await.unwrap_err();
        let ObjectError::Source(source) = error else { panic!("{error:?}") };
        assert_eq!(source.downcast_ref::<io::Error>().unwrap().to_string(), "client left");
    }
    assert_eq!(files(&folder.path().join("files")), BTreeSet::new());
}

#[tokio::test]
async fn a_kill_in_the_middle_leaves_nothing_visible() {
    let (folder, objects) = objects();
    objects.put_bytes("u/k", Bytes::from_static(b"before")).await.unwrap();
    // As after a kill: the future is leaked in the middle, nothing of it is undone.
    let forever = chunks(11).chain(stream::pending());
    let writing = objects.clone();
    let mut put = Box::pin(async move { writing.put("u/k", None, forever).await });
    let part = async {
        while files(&folder.path().join("files")).len() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = &mut put => panic!("it never ends"),
        () = part => {}
    }
    std::mem::forget(put);

    assert_eq!(objects.get_bytes("u/k").await.unwrap(), "before");
    assert_eq!(keys(&objects, "u", soon()).await, ["u/k".to_owned()].into());
    assert_eq!(
        objects.delete_unfinished(soon() - TimeDelta::hours(2)).await.unwrap(),
        0,
        "it may still be written"
    );
    assert_eq!(objects.delete_unfinished(soon()).await.unwrap(), 1);
    assert_eq!(files(&folder.path().join("files")), ["u/k".to_owned()].into());
}

#[tokio::test]
async fn no_key_leads_out_of_the_folder() {
    let (folder, objects) = objects();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    let long = "k".repeat(513);
    let bad = [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../secret",
        "a/../../secret",
        "a/..",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        "a\\b",
        "..\\secret",
        "a\0b",
        "a\nb",
        "%2e%2e/secret",
        "a#1",
        "C:/x",
        "é",
        "a b",
        long.as_str(),
    ];
    for key in bad {
        let refused = |error: ObjectError| matches!(error, ObjectError::Key(_));
        assert!(refused(objects.get_bytes(key).await.unwrap_err()), "get {key:?}");
        assert!(refused(objects.put_bytes(key, Bytes::new()).await.unwrap_err()), "put {key:?}");
        assert!(refused(objects.local_copy(key).await.unwrap_err()), "local {key:?}");
        assert!(refused(objects.delete(key).await.unwrap_err()), "delete {key:?}");
        assert!(refused(objects.info(key).await.unwrap_err()), "info {key:?}");
    }
    for prefix in ["", "/", "..", "../", "a/.."] {
        assert!(objects.delete_prefix(prefix).await.is_err(), "{prefix:?}");
        assert!(objects.list_before(prefix, soon()).is_err(), "{prefix:?}");
    }
    assert_eq!(files(folder.path()), ["secret".to_owned()].into());
}

#[tokio::test]
async fn a_prefix_is_a_folder_and_goes_whole() {
    let (folder, objects) = objects();
    for key in ["campaigns/1/a", "campaigns/1/r/b", "campaigns/12/a", "uploads/1"] {
        objects.put_bytes(key, Bytes::from_static(b"x")).await.unwrap();
    }
    assert_eq!(objects.delete_prefix("campaigns/1/").await.unwrap(), 2);
    assert_eq!(objects.delete_prefix("campaigns/1").await.unwrap(), 0);
    assert_eq!(
        files(&folder.path().join("files")),
        ["campaigns/12/a".to_owned(), "uploads/1".to_owned()].into()
    );
    assert!(!folder.path().join("files/campaigns/1").exists(), "empty folders go too");

    assert_eq!(keys(&objects, "campaigns", soon()).await, ["campaigns/12/a".to_owned()].into());
    assert_eq!(keys(&objects, "campaigns", soon() - TimeDelta::hours(2)).await, BTreeSet::new());
    objects.delete("uploads/1").await.unwrap();
    objects.delete("uploads/1").await.unwrap();
    assert_eq!(objects.info("uploads/1").await.unwrap(), None);
    assert!(matches!(objects.get_bytes("uploads/1").await, Err(ObjectError::Missing(_))));
    assert!(
        matches!(objects.local_copy("campaigns").await, Err(ObjectError::Missing(_))),
        "a folder is no file"
    );
}

#[tokio::test]
async fn a_local_file_is_read_in_place() {
    let (folder, objects) = objects();
    objects.put_bytes("uploads/r.csv", Bytes::from_static(b"a,b\n")).await.unwrap();
    let copy = objects.local_copy("uploads/r.csv").await.unwrap();
    assert_eq!(copy.path(), folder.path().canonicalize().unwrap().join("files/uploads/r.csv"));
    assert_eq!(std::fs::read(copy.path()).unwrap(), b"a,b\n");
    drop(copy);
    assert!(objects.info("uploads/r.csv").await.unwrap().is_some());
    objects.check().await.unwrap();
}

#[test]
fn a_location_that_cannot_be_used_says_why() {
    let said = |location: &str| Objects::open(location).unwrap_err().to_string();
    assert!(said("ftp://host/x").contains("neither a folder nor `s3://bucket/prefix`"));
    assert!(said("s3://").contains("bucket"));
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let location = folder.path().join("file/below");
    assert!(said(location.to_str().unwrap()).contains("below"));
}

//! Stored files in a bucket, of a server that speaks S3.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use caliber_store::objects::{ObjectError, Objects};
use caliber_testing::s3::{BUCKET, S3Server};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

const MEGABYTE: usize = 1 << 20;

/// A server, and its bucket below a prefix.
fn bucket() -> (S3Server, Objects) {
    let server = S3Server::start();
    let objects = open(&server, &format!("s3://{BUCKET}/some/prefix"));
    (server, objects)
}

fn open(server: &S3Server, location: &str) -> Objects {
    Objects::open_with(location, server.environment()).unwrap()
}

/// So many chunks of a megabyte.
fn chunks(count: usize) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> {
    stream::iter((0..count).map(|index| Ok(Bytes::from(vec![index as u8; MEGABYTE]))))
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn soon() -> DateTime<Utc> {
    DateTime::<Utc>::from(std::time::SystemTime::now()) + TimeDelta::hours(1)
}

#[tokio::test]
async fn what_comes_in_parts_is_stored_whole() {
    let (server, objects) = bucket();
    let stored = objects.put("uploads/big", Some(13 * MEGABYTE as u64), chunks(13)).await.unwrap();
    assert_eq!(server.keys(), set(&["some/prefix/uploads/big"]), "below the prefix, and no part is left");
    let (size, bytes) = objects.get("uploads/big").await.unwrap();
    let read = bytes.try_collect::<Vec<Bytes>>().await.unwrap().concat();
    assert_eq!((stored.size, size, read.len()), (13 * MEGABYTE as u64, 13 * MEGABYTE as u64, 13 * MEGABYTE));
    for (index, chunk) in read.chunks(MEGABYTE).enumerate() {
        assert!(chunk.iter().all(|byte| *byte == index as u8), "megabyte {index}");
    }
    let small = objects.put_bytes("small", Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(small.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(objects.get_bytes("small").await.unwrap(), "abc");
    assert_eq!(objects.info("small").await.unwrap().unwrap().size, 3);
    objects.put_bytes("empty", Bytes::new()).await.unwrap();
    assert_eq!(objects.get_bytes("empty").await.unwrap(), "");

    let copy = objects.local_copy("uploads/big").await.unwrap();
    assert_eq!(std::fs::read(copy.path()).unwrap(), read);
    let path = copy.path().to_owned();
    assert_eq!(objects.put_file("again", &path).await.unwrap(), stored);
    drop(copy);
    assert!(!path.exists(), "what was fetched goes with its copy");
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_keeps_nothing() {
    let (server, objects) = bucket();
    objects.put_bytes("k", Bytes::from_static(b"before")).await.unwrap();
    for megabytes in [1, 12] {
        let limit = (megabytes * MEGABYTE) as u64 - 1;
        let error = objects.put("k", Some(limit), chunks(megabytes)).await.unwrap_err();
        assert!(matches!(error, ObjectError::TooLarge { .. }), "{error:?}");
    }
    for megabytes in [0, 1, 11] {
        let broken = chunks(megabytes).chain(stream::once(async { Err(io::Error::other("client left")) }));
        let error = objects.put("k", None, broken).await.unwrap_err();
        assert!(matches!(error, ObjectError::Source(_)), "{error:?}");
    }
    assert_eq!(objects.get_bytes("k").await.unwrap(), "before");
    assert_eq!(server.keys(), set(&["some/prefix/k"]));
}

#[tokio::test]
async fn a_prefix_is_a_folder_and_goes_whole() {
    let (server, objects) = bucket();
    let others = open(&server, &format!("s3://{BUCKET}"));
    others.put_bytes("campaigns/1/a", Bytes::from_static(b"another's")).await.unwrap();
    for key in ["campaigns/1/a", "campaigns/1/r/b", "campaigns/12/a"] {
        objects.put_bytes(key, Bytes::from_static(b"x")).await.unwrap();
    }
    let listed = |before| {
        let listed = objects.list_before("campaigns", before).unwrap();
        async move {
            let infos: Vec<_> = listed.try_collect().await.unwrap();
            infos.into_iter().map(|info| info.key).collect::<BTreeSet<String>>()
        }
    };
    assert_eq!(listed(soon()).await, set(&["campaigns/1/a", "campaigns/1/r/b", "campaigns/12/a"]));
    assert_eq!(listed(soon() - TimeDelta::hours(2)).await, BTreeSet::new());
    assert_eq!(objects.delete_prefix("campaigns/1").await.unwrap(), 2);
    assert_eq!(objects.delete_prefix("campaigns/1").await.unwrap(), 0);
    assert_eq!(server.keys(), set(&["campaigns/1/a", "some/prefix/campaigns/12/a"]));
    for _ in 0..2 {
        objects.delete("campaigns/12/a").await.unwrap();
    }
    assert_eq!(objects.info("campaigns/12/a").await.unwrap(), None);
    assert!(matches!(objects.get_bytes("campaigns/12/a").await, Err(ObjectError::Missing(_))));
    assert!(matches!(objects.local_copy("campaigns/12/a").await, Err(ObjectError::Missing(_))));
    objects.check().await.unwrap();
    assert_eq!(server.keys(), set(&["campaigns/1/a"]), "the look leaves nothing");
}

#[tokio::test]
async fn more_objects_than_a_page_of_them_are_found_and_deleted() {
    let (server, objects) = bucket();
    let keys = (0..1200).map(|index| format!("campaigns/1/{index}"));
    stream::iter(keys)
        .map(|key| {
            let objects = &objects;
            async move { objects.put_bytes(&key, Bytes::from_static(b"x")).await.unwrap() }
        })
        .buffer_unordered(32)
        .collect::<Vec<_>>()
        .await;
    let listed: Vec<_> = objects.list_before("campaigns", soon()).unwrap().try_collect().await.unwrap();
    assert_eq!(listed.len(), 1200);
    assert_eq!(objects.delete_prefix("campaigns").await.unwrap(), 1200);
    assert_eq!(server.keys(), BTreeSet::new());
}

#[tokio::test]
async fn keys_that_are_not_let_in_and_a_bucket_that_is_not_there_are_told() {
    let (server, objects) = bucket();
    objects.put_bytes("k", Bytes::from_static(b"x")).await.unwrap();
    let location = format!("s3://{BUCKET}/some/prefix");
    let stranger = Objects::open_with(&location, server.environment_with("wrong")).unwrap();
    let refusals = [
        stranger.check().await.unwrap_err(),
        stranger.get_bytes("k").await.unwrap_err(),
        stranger.put("big", None, chunks(11)).await.unwrap_err(),
    ];
    for error in refusals {
        assert!(matches!(error, ObjectError::Refused(_)), "{error:?}");
        assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
    }
    assert!(stranger.delete_prefix("k").await.is_err());
    assert_eq!(server.keys(), set(&["some/prefix/k"]));

    let nowhere = open(&server, "s3://another-bucket/prefix");
    let error = nowhere.check().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stored files cannot be kept at s3://another-bucket/prefix: there is no such bucket"
    );
    let error = nowhere.put("big", None, chunks(11)).await.unwrap_err();
    assert!(error.to_string().contains("no such bucket"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_down_is_told_soon_and_used_again_when_it_is_up() {
    let (mut server, objects) = bucket();
    objects.put_bytes("k", Bytes::from_static(b"x")).await.unwrap();
    server.stop();
    let begun = Instant::now();
    let error = objects.get_bytes("k").await.unwrap_err();
    assert!(matches!(error, ObjectError::Storage(_)), "{error:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "whoever waits is not left waiting: {:?}",
        begun.elapsed()
    );
    server.start_again();
    assert_eq!(objects.get_bytes("k").await.unwrap(), "x");
}

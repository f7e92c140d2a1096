//! Storage that is no folder: a bucket as `object_store` has it in memory.

use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;

use super::*;

fn bucket() -> (Arc<InMemory>, Objects) {
    let bucket = Arc::new(InMemory::new());
    let store = PrefixStore::new(Arc::clone(&bucket), path_of("caliber/files").unwrap());
    (
        bucket,
        Objects { store: Arc::new(store), local: None, location: "s3://bucket/caliber/files".to_owned() },
    )
}

#[tokio::test]
async fn a_file_of_a_bucket_is_fetched_and_gone_with_its_copy() {
    let (bucket, objects) = bucket();
    let bytes = Bytes::from("a,b\n".repeat(3 << 20));
    let stored = objects.put_bytes("uploads/1/report.csv", bytes.clone()).await.unwrap();
    let whole = object_store::path::Path::from("caliber/files/uploads/1/report.csv");
    assert_eq!(bucket.head(&whole).await.unwrap().size, stored.size, "below the prefix");

    let copy = objects.local_copy("uploads/1/report.csv").await.unwrap();
    let path = copy.path().to_owned();
    assert!(path.to_str().unwrap().ends_with("report.csv"));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    drop(copy);
    assert!(!path.exists());
    assert!(matches!(objects.local_copy("uploads/2").await, Err(ObjectError::Missing(_))));
}

#[tokio::test]
async fn a_prefix_of_a_bucket_goes_whole() {
    let (bucket, objects) = bucket();
    for key in ["campaigns/1/a", "campaigns/1/b/c", "campaigns/12/a"] {
        objects.put_bytes(key, Bytes::from_static(b"x")).await.unwrap();
    }
    let elsewhere = object_store::path::Path::from("campaigns/1/a");
    bucket.put(&elsewhere, PutPayload::from_static(b"another's")).await.unwrap();
    assert_eq!(objects.delete_prefix("campaigns/1").await.unwrap(), 2);
    let soon = DateTime::<Utc>::from(std::time::SystemTime::now()) + chrono::TimeDelta::hours(1);
    let left: Vec<_> = objects.list_before("campaigns", soon).unwrap().try_collect().await.unwrap();
    assert_eq!(left.into_iter().map(|info| info.key).collect::<Vec<_>>(), ["campaigns/12/a"]);
    assert_eq!(bucket.head(&elsewhere).await.unwrap().size, 9);
    objects.check().await.unwrap();
    assert_eq!(objects.delete_unfinished(soon).await.unwrap(), 0);
}

#[cfg(feature = "s3")]
#[test]
fn a_bucket_is_opened_without_asking_it() {
    let objects = Objects::open("s3://bucket/some/prefix/").unwrap();
    assert_eq!(objects.location(), "s3://bucket/some/prefix/");
    assert!(matches!(Objects::open("s3://bucket/a b"), Err(ObjectError::Key(_))));
}

use super::*;

async fn every_operation<D: Disk>(disk: D) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("d");
    disk.create_dir(&dir).await.unwrap();
    disk.create_dir(&dir).await.unwrap();
    let (a, b) = (dir.join("a"), dir.join("b"));
    assert!(disk.create_dir(&a.join("deep")).await.is_err());

    let mut file = disk.open(&a, Open::New).await.unwrap();
    // More than tokio's buffer of 2 MiB, so a write may be short.
    let body = vec![7; 5 << 20];
    let mut done = 0;
    while done < body.len() {
        done += disk.write(&mut file, &body[done..]).await.unwrap();
    }
    disk.sync(&mut file).await.unwrap();
    assert_eq!(std::fs::read(&a).unwrap(), body);
    disk.truncate(&mut file, 10).await.unwrap();
    drop(file);
    assert_eq!(disk.open(&a, Open::New).await.map(|_| ()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);

    assert_eq!(disk.read(&a, 10).await.unwrap(), [7; 10]);
    assert_eq!(disk.read(&a, 100).await.unwrap().len(), 10);
    assert_eq!(disk.read(&a, 5).await.unwrap().len(), 6, "one more than the limit, so that excess shows");
    assert_eq!(disk.read(&b, 5).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(disk.read(&dir, 5).await.is_err());

    let mut kept = disk.open(&a, Open::Keep).await.unwrap();
    assert_eq!(disk.write(&mut kept, b"xy").await.unwrap(), 2);
    assert_eq!(disk.read(&a, 3).await.unwrap(), [b'x', b'y', 7, 7]);
    drop(disk.open(&a, Open::Truncate).await.unwrap());
    assert!(disk.read(&a, 3).await.unwrap().is_empty());

    disk.rename(&a, &b).await.unwrap();
    disk.sync_dir(&dir).await.unwrap();
    assert_eq!(disk.list(&dir).await.unwrap(), ["b"]);
    disk.unlink(&b).await.unwrap();
    assert_eq!(disk.unlink(&b).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(disk.list(&dir).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_blocking_disk_does_every_operation() {
    every_operation(StdDisk).await;
}

#[tokio::test]
async fn the_pooled_disk_does_every_operation() {
    every_operation(TokioDisk).await;
}

/// tokio's `File` buffers: without the flush in `write` this error would never be seen.
#[tokio::test]
async fn a_full_disk_is_seen_by_the_write_that_hits_it() {
    async fn full<D: Disk>(disk: D) {
        let mut file = disk.open(Path::new("/dev/full"), Open::Keep).await.unwrap();
        assert_eq!(disk.write(&mut file, b"x").await.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
    full(StdDisk).await;
    full(TokioDisk).await;
}

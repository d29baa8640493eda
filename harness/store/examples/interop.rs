//! Writes what `scripts/interop-settings` has other programs read, and reads what they wrote.

use std::{error::Error, fs, io::Write, path::Path};
use store::{
    Config, Message, Role, Session, SessionId, Store,
    compress::{self, Codec, Encoder, decode},
    config::{Compress, Kind},
};

fn session(n: u32) -> Result<Session, Box<dyn Error>> {
    let mut session = Session::new(SessionId::try_from(format!("s{n}").as_str())?);
    for turn in 0..5 {
        let text = format!("the \"search\" for {:x} found {n} files, naïve ones\n and others", n * 31 + turn);
        session.record_turn(Message { role: Role::Tool, tool: "search".to_owned(), digest: u64::from(n * turn), text }, 100);
    }
    Ok(session)
}

async fn fill(config: &Config, dir: &Path, train: bool) -> Result<(), Box<dyn Error>> {
    let store = Store::open(config, dir).await?;
    for round in 0..2 {
        for n in 0..100 {
            store.save(&session(n)?).await?;
        }
        if train && round == 0 {
            store.train().await?;
        }
    }
    Ok(store.close().await?)
}

async fn write(dir: &Path) -> Result<(), Box<dyn Error>> {
    let plain = store::json::encode(&session(3)?)?.repeat(500);
    fs::write(dir.join("plain"), &plain)?;
    for codec in [Codec::Gzip, Codec::Zstd] {
        fs::write(dir.join(format!("plain.{}", codec.name())), Encoder::new(&compress::Config::default()).encode(codec, &plain)?)?;
    }
    fill(&Config { kind: Kind::Files, ..Config::default() }, &dir.join("files"), false).await?;
    fill(&Config { kind: Kind::Sqlite, ..Config::default() }, &dir.join("sqlite"), false).await?;
    fill(&Config { kind: Kind::Files, compress: Compress::Zstd, dictionary_size: 4096, ..Config::default() }, &dir.join("packed"), true)
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", dir] => write(Path::new(dir)).await,
        ["read", codec, file] => {
            let codec = Codec::named(codec).ok_or("no such codec")?;
            Ok(std::io::stdout().write_all(&decode(codec, &fs::read(file)?, 64 << 20)?)?)
        }
        ["turn", dir, id] => {
            let store = Store::open(&Config { kind: Kind::Sqlite, ..Config::default() }, Path::new(dir)).await?;
            let session = store.load(&SessionId::try_from(id)?).await?.ok_or("no such session")?;
            Ok(writeln!(std::io::stdout(), "{session:?}")?)
        }
        _ => Err("expected: write DIR, read CODEC FILE or turn DIR ID".into()),
    }
}

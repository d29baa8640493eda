use super::*;
use std::collections::BTreeMap;

/// Sessions that are alike and not equal, as those of one service are.
fn documents(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    let document = |n: usize| {
        let mut text = format!("{{\"schema\":1,\"id\":\"session-{n:06}\",\"turns\":{},\"messages\":[", n * 7 + 3);
        let mut at = n;
        while text.len() < bytes {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += &format!("{{\"role\":\"tool\",\"digest\":\"{at:016x}\",\"text\":\"the result of call {} was found\"}},", at % 97);
        }
        text.truncate(bytes);
        text.into_bytes()
    };
    (0..count).map(document).collect()
}

fn opening(documents: Vec<Vec<u8>>) -> Opening {
    Opening { dir: std::env::temp_dir(), documents, seed: 1, settings: BTreeMap::new() }
}

#[test]
fn every_way_compresses_and_decompresses_what_it_is_given() {
    for (count, size) in [(20, 1), (60, 700), (14, 10_000)] {
        let opening = opening(documents(count, size));
        for way in COMPRESS.ways.iter().chain(DECOMPRESS.ways) {
            let mut contender = match (way.open)(&opening) {
                Ok(contender) => contender,
                // No dictionary can be made of single bytes, or of seven documents.
                Err(Refusal::NotHere(why)) => {
                    assert!(size != 700 && way.name.contains("dict"), "{}: {why}", way.name);
                    continue;
                }
                Err(why) => panic!("{} at {size}: {why}", way.name),
            };
            let batch = contender.batch().unwrap_or_else(|why| panic!("{} at {size}: {why}", way.name));
            assert!(batch.operations >= 1 && batch.bytes_in > 0 && batch.bytes_out > 0, "{}: {batch:?}", way.name);
            assert_eq!(contender.limit(), Some(crate::Limit::Memcpy(size as u64)), "{}", way.name);
            let seen = contender.finish().unwrap_or_else(|why| panic!("{} at {size}: {why}", way.name));
            let ratio: f64 = seen["ratio"].parse().unwrap();
            assert!(size < 1000 || ratio > 1.1 || way.name == "min-size", "{} at {size}: {ratio}", way.name);
        }
    }
}

#[test]
fn a_dictionary_trained_on_other_documents_beats_gzip_on_small_ones() {
    let opening = opening(documents(400, 1024));
    let ratio = |name: &str| -> f64 {
        let way = COMPRESS.ways.iter().find(|way| way.name == name).unwrap();
        (way.open)(&opening).unwrap().finish().unwrap()["ratio"].parse().unwrap()
    };
    for way in ["zstd-3-dict-16k", "zstd-small-dict-256k"] {
        assert!(ratio(way) > 1.2 * ratio("gzip-6"), "{way}");
    }
    let other = documents(400, 1024);
    assert_eq!(measured(&other), MEASURED);
    assert_ne!(dictionary::train(&other, 4096).unwrap(), dictionary::train(&other[40..], 4096).unwrap());
}

#[test]
fn too_few_documents_for_a_dictionary_is_said_and_no_failure() {
    let opening = opening(documents(9, 500));
    for way in COMPRESS.ways.iter().chain(DECOMPRESS.ways).filter(|way| way.name.contains("dict")) {
        let refused = (way.open)(&opening).err().unwrap();
        assert!(matches!(&refused, Refusal::NotHere(why) if why.contains("8 samples")), "{}: {refused}", way.name);
    }
}

#[test]
fn without_documents_nothing_is_opened() {
    for way in [&COMPRESS.ways[0], &DECOMPRESS.ways[0]] {
        assert!((way.open)(&opening(Vec::new())).err().unwrap().to_string().contains("give the scenario a payload"));
    }
}

/// A coder that loses the last byte and a decoder that turns one over.
struct Liar;

impl Coder for Liar {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(&plain[..plain.len() - 1]);
        Ok(())
    }

    fn check(&mut self, packed: &[u8], _: usize) -> Result<Vec<u8>, String> {
        Ok(packed.to_vec())
    }
}

impl Decoder for Liar {
    fn decode(&mut self, packed: &[u8], _: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(packed);
        Ok(())
    }
}

#[test]
fn wrong_answers_are_found_at_the_end() {
    let opening = opening(documents(4, 100));
    let mut wrong = compress(&opening, Liar).unwrap();
    wrong.batch().unwrap();
    assert!(wrong.finish().unwrap_err().contains("comes back changed"));
    let mut wrong = decompress(&opening, &mut Liar, Liar).unwrap();
    wrong.batch().unwrap();
    assert!(wrong.finish().unwrap_err().contains("decompressed to something else"));
}

#[test]
fn decoders_refuse_what_is_cut_or_changed() {
    let plain = documents(1, 5000).remove(0);
    let mut packed = Vec::new();
    gzip::Flate::open(6).encode(&plain, &mut packed).unwrap();
    let decoders: [Box<dyn Decoder>; 3] =
        [Box::new(gzip::Inflate::open()), Box::new(gzip::Miniz::open(6)), Box::new(gzip::Deflate::open(6).unwrap())];
    for mut decoder in decoders {
        let mut changed = packed.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x55;
        assert!(decoder.decode(&changed, plain.len(), &mut Vec::new()).is_err());
        assert!(decoder.decode(&packed[..packed.len() - 9], plain.len(), &mut Vec::new()).is_err());
        assert!(decoder.decode(&packed, plain.len() - 1, &mut Vec::new()).is_err());
        let mut out = Vec::new();
        decoder.decode(&packed, plain.len(), &mut out).unwrap();
        assert_eq!(out, plain);
    }
}

//! zstd without a dictionary, and the product's own encoders and decoders.

use super::{Coder, Decoder as Decodes, failed};
use crate::{Opening, Refusal};
use store::compress::{Codec, Config, Encoder, decode};
use zstd::zstd_safe::{CCtx, CParameter, DCtx, DParameter, compress_bound, get_error_name};

/// Base-2 logarithm of the window of the long mode, as the zstd program's `--long` has it.
const LONG_WINDOW: u32 = 27;

pub(super) fn name(code: usize) -> String {
    get_error_name(code).to_owned()
}

/// The context kept.
pub(super) struct Reused {
    context: CCtx<'static>,
    window: Option<u32>,
}

impl Reused {
    pub(super) fn open(level: i32) -> Result<Self, Refusal> {
        let mut context = CCtx::try_create().ok_or_else(|| failed("zstd", "no memory for a context"))?;
        context.set_parameter(CParameter::CompressionLevel(level)).map_err(|code| failed("zstd level", name(code)))?;
        Ok(Self { context, window: None })
    }

    /// With matching over long distances.
    pub(super) fn long(level: i32) -> Result<Self, Refusal> {
        let mut coder = Self::open(level)?;
        for parameter in [CParameter::EnableLongDistanceMatching(true), CParameter::WindowLog(LONG_WINDOW)] {
            coder.context.set_parameter(parameter).map_err(|code| failed("zstd long mode", name(code)))?;
        }
        coder.window = Some(LONG_WINDOW);
        Ok(coder)
    }
}

impl Coder for Reused {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(compress_bound(plain.len()));
        self.context.compress2(out, plain).map(|_| ()).map_err(name)
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(max.max(1));
        let mut context = DCtx::try_create().ok_or("no memory for a context")?;
        context.set_parameter(DParameter::WindowLogMax(LONG_WINDOW)).map_err(name)?;
        context.decompress(&mut out, packed).map_err(name)?;
        Ok(out)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("context-bytes", self.context.sizeof().to_string())];
        facts.extend(self.window.map(|log| ("window-log", log.to_string())));
        facts
    }
}

/// A context per call.
pub(super) struct Fresh(pub(super) i32);

impl Coder for Fresh {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        Reused::open(self.0).map_err(|why| why.to_string())?.encode(plain, out)
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        unzstd(packed, max)
    }
}

/// The product's bounded decoder, as the judge of what others wrote.
pub(super) fn unzstd(packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
    decode(Codec::Zstd, packed, max).map_err(|why| why.to_string())
}

/// What the product does with a response for a client that takes everything.
pub(super) struct Product {
    config: Config,
    encoder: Encoder,
    plain: u64,
    packed: u64,
}

impl Product {
    pub(super) fn open(opening: &Opening) -> Result<Self, Refusal> {
        let config = Config::from_settings(&opening.settings).map_err(|why| Refusal::Failed(why.to_string()))?;
        let encoder = Encoder::new(&config);
        Ok(Self { config, encoder, plain: 0, packed: 0 })
    }

    fn codec(&self, size: usize) -> Result<Codec, String> {
        self.config.choose("zstd, gzip;q=0.5", size).map_err(|why| why.to_string())
    }
}

impl Coder for Product {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let codec = self.codec(plain.len())?;
        *(if codec == Codec::Identity { &mut self.plain } else { &mut self.packed }) += 1;
        out.extend_from_slice(&self.encoder.encode(codec, plain).map_err(|why| why.to_string())?);
        Ok(())
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        // What is as it is begins like the document, which is text, and no frame does.
        let codec = if packed.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) { Codec::Zstd } else { Codec::Identity };
        let codec = if packed.starts_with(&[0x1f, 0x8b]) { Codec::Gzip } else { codec };
        decode(codec, packed, max).map_err(|why| why.to_string())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let share = 100.0 * self.plain as f64 / (self.plain + self.packed).max(1) as f64;
        vec![("sent-as-is-percent", format!("{share:.0}"))]
    }
}

/// The product's bounded decoder.
pub(super) struct ProductDecoder(pub(super) Codec);

impl Decodes for ProductDecoder {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        // Twice the size: it is to be bounded, not told.
        *out = decode(self.0, packed, size * 2).map_err(|why| why.to_string())?;
        Ok(())
    }
}

/// The context kept.
pub(super) struct Decoder(DCtx<'static>);

impl Decoder {
    pub(super) fn open() -> Result<Self, Refusal> {
        DCtx::try_create().map(Self).ok_or_else(|| failed("zstd", "no memory for a context"))
    }
}

impl Decodes for Decoder {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(size.max(1));
        self.0.decompress(out, packed).map(|_| ()).map_err(name)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        vec![("context-bytes", self.0.sizeof().to_string())]
    }
}

/// A context per call.
pub(super) struct FreshDecoder;

impl Decodes for FreshDecoder {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        Decoder::open().map_err(|why| why.to_string())?.decode(packed, size, out)
    }
}

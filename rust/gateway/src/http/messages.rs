//! Messages of gRPC as bytes, with a limit where a few bytes would become many in memory.

use bytes::{Buf, Bytes};
use prost::encoding::{decode_key, skip_field, DecodeContext};
use std::marker::PhantomData;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::Status;

/// Most fields of a message, lists counted by their items. Two bytes can be a tensor, which takes 300 in memory.
const MOST_FIELDS: usize = 1 << 16;

/// Reads `T` and writes `U`.
pub struct Messages<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Messages<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for Messages<T, U>
where
    T: prost::Message + Default + 'static,
    U: prost::Message + 'static,
{
    type Encode = U;
    type Decode = T;
    type Encoder = Messages<T, U>;
    type Decoder = Messages<T, U>;

    fn encoder(&mut self) -> Self::Encoder {
        Self::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Self::default()
    }
}

impl<T, U: prost::Message> Encoder for Messages<T, U> {
    type Item = U;
    type Error = Status;

    fn encode(&mut self, message: U, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(to).map_err(|error| Status::internal(error.to_string()))
    }
}

impl<T: prost::Message + Default, U> Decoder for Messages<T, U> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        let wrong = |error: prost::DecodeError| {
            Status::invalid_argument(format!("the message is not of its type: {error}"))
        };
        if count(bytes.clone()).map_err(wrong)? > MOST_FIELDS {
            let message = format!("the message has more than {MOST_FIELDS} fields and tensors");
            return Err(Status::invalid_argument(message));
        }
        T::decode(bytes).map(Some).map_err(wrong)
    }
}

/// Fields of a message, those of the messages in it not counted.
fn count(mut bytes: Bytes) -> Result<usize, prost::DecodeError> {
    let mut fields = 0;
    while bytes.has_remaining() {
        let (tag, wire_type) = decode_key(&mut bytes)?;
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default())?;
        fields += 1;
    }
    Ok(fields)
}

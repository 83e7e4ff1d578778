"""Turns a request of the Open Inference Protocol, JSON on standard input, into gRPC's frame."""

import struct
import sys

from mlserver.grpc.converters import ModelInferRequestConverter
from mlserver.types import InferenceRequest, TensorData

request = InferenceRequest.model_validate_json(sys.stdin.buffer.read())
for tensor in request.inputs:
    if tensor.datatype == "BYTES":
        tensor.data = TensorData([text.encode() for text in tensor.data])
message = ModelInferRequestConverter.from_types(request, model_name=sys.argv[1])
text = message.SerializeToString()
# Not compressed, so many bytes: "Length-Prefixed-Message" of PROTOCOL-HTTP2.md of gRPC.
sys.stdout.buffer.write(struct.pack(">BI", 0, len(text)) + text)

/** Builds ONNX models in memory: graphs of plain operations and constants, as the bytes of their files. */
export { floatTensor, intTensor, node, onnxModel, signature } from "./onnx.js";
export type { Attribute, ElementType, GraphParts, SignatureShape } from "./onnx.js";
export type { Encoded } from "./protobuf.js";

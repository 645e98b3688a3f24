/**
 * The CBOR of the wire (RFC 8949), strict and deterministic (protocol.md §1).
 * Sent: definite lengths, shortest integers, map keys in the order of their encoded bytes (§4.2.1). Received: duplicate keys, NaN, infinities,
 * nesting deeper than 16, tags and trailing bytes are refused; indefinite lengths and non-shortest integers are accepted.
 */
export { decodeCbor, decodeCborItem } from './cbor-reader.js';
export { CborError, type CborKey, type CborMap, type CborValue, Float, isMap, MAX_DEPTH, WideInteger } from './cbor-value.js';
export { encodeCbor, encodeCborPooled } from './cbor-writer.js';

const TABLE = table();

/** CRC-32 of ISO-HDLC (reflected polynomial 0xEDB88320); `before` is the CRC of what comes before `bytes`, so that parts chain. Unsigned. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let i = 0;
  for (const whole = bytes.length & ~3; i < whole; i += 4) {
    crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
    crc = (TABLE[(crc ^ (bytes[i + 1] as number)) & 0xff] as number) ^ (crc >>> 8);
    crc = (TABLE[(crc ^ (bytes[i + 2] as number)) & 0xff] as number) ^ (crc >>> 8);
    crc = (TABLE[(crc ^ (bytes[i + 3] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  for (; i < bytes.length; i++) crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function table(): Uint32Array {
  const entries = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    entries[i] = crc;
  }
  return entries;
}

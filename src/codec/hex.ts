/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16);
  return text;
}

/** Throws RangeError for anything but an even number of hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError('hex: odd number of digits');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const pair = text.slice(2 * i, 2 * i + 2);
    const value = Number.parseInt(pair, 16);
    if (Number.isNaN(value) || value < 0 || value.toString(16).padStart(2, '0') !== pair.toLowerCase())
      throw new RangeError(`hex: '${pair}' is not hexadecimal`);
    bytes[i] = value;
  }
  return bytes;
}

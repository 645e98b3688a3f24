/** The setup code and the discriminator: what a user reads off the label. */
import { utf8Decode, utf8Encode } from '../codec/utf8.js';
import { ConfigError } from '../errors.js';
import type { Entropy } from '../platform.js';
import { Secret } from '../secret.js';

const DIGITS = 8;
/** How many codes there are. */
export const CODES = 10 ** DIGITS;
/** Discriminators are 0…this: 12 bits. */
export const DISCRIMINATOR_MAXIMUM = 4095;

/** Eight decimal digits (commissioning-pase §2.3); the bytes are their UTF-8. Prints masked. */
export class SetupCode extends Secret {
  /** The digits in clear, for the display and the label alone. */
  digits(): string {
    return utf8Decode(this.expose()) ?? '';
  }
}

export interface SetupCodeOptions {
  /** Accepts 00000000, 99999999, repeated digits, 12345678 and 87654321, for tests (protocol.md §3). */
  readonly allowTrivial?: boolean;
}

/** Throws ConfigError with `where`, which never repeats the text. */
export function parseSetupCode(text: string, options: SetupCodeOptions = {}, where = 'setupCode'): SetupCode {
  if (text.length !== DIGITS || !isDecimal(text)) throw new ConfigError(where, 'expected 8 decimal digits');
  if (options.allowTrivial !== true && isTrivial(text)) throw new ConfigError(where, 'too easy to guess');
  return new SetupCode(utf8Encode(text));
}

/** Uniform over all codes that are not trivial, by rejection (protocol.md §3). */
export function generateSetupCode(entropy: Entropy): SetupCode {
  const uniform = Math.floor(0x1_0000_0000 / CODES) * CODES;
  for (let draw = 0; draw < 64; draw++) {
    const bytes = entropy.bytes(4);
    const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const text = String(value % CODES).padStart(DIGITS, '0');
    if (value < uniform && !isTrivial(text)) return new SetupCode(utf8Encode(text));
  }
  throw new Error('the entropy source repeats itself');
}

/** Uniform in 0…4095, independent of the setup code (protocol.md §2.2). */
export function generateDiscriminator(entropy: Entropy): number {
  const [high = 0, low = 0] = entropy.bytes(2);
  return ((high << 8) | low) & DISCRIMINATOR_MAXIMUM;
}

/** True for a text of decimal digits only; also for the empty text. */
export function isDecimal(text: string): boolean {
  for (const character of text) if (character < '0' || character > '9') return false;
  return true;
}

function isTrivial(digits: string): boolean {
  return digits === '12345678' || digits === '87654321' || digits === digits.charAt(0).repeat(DIGITS);
}

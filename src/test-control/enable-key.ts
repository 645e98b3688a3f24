import { utf8Encode } from '../codec/utf8.js';
import { ConfigError } from '../errors.js';
import { Secret } from '../secret.js';

const DIGITS = '0123456789abcdefABCDEF';
const LENGTH = 32;

/** 32 hexadecimal digits, not all zero; kept as written, since it is compared as written. Throws ConfigError. */
export function parseEnableKey(text: string, where: string): Secret {
  if (text.length !== LENGTH || [...text].some((digit) => !DIGITS.includes(digit)))
    throw new ConfigError(where, `an enable key has ${LENGTH} hexadecimal digits`);
  if ([...text].every((digit) => digit === '0')) throw new ConfigError(where, 'an enable key of zeros enables nothing');
  return new Secret(utf8Encode(text));
}

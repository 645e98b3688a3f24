/** The text of the label's QR code (protocol.md §3): `MASH:1:<discriminator>:<8 digits>[:0x<vendor>:0x<product>]`. */
import { ConfigError } from '../errors.js';
import { DISCRIMINATOR_MAXIMUM, isDecimal, parseSetupCode, type SetupCode, type SetupCodeOptions } from './setup-code.js';

/** The second field. */
export const QR_VERSION = 1;

export interface QrContent {
  /** 0…4095. */
  readonly discriminator: number;
  readonly code: SetupCode;
  /** 0…65535; either both or neither. */
  readonly vendorId?: number | undefined;
  readonly productId?: number | undefined;
}

/** Six fields with vendor and product, four without. The text holds the code in clear. Throws ConfigError naming the field. */
export function formatQr({ discriminator, code, vendorId, productId }: QrContent): string {
  requireRange('qr.discriminator', discriminator, DISCRIMINATOR_MAXIMUM);
  const base = `MASH:${QR_VERSION}:${discriminator}:${code.digits()}`;
  if (vendorId === undefined && productId === undefined) return base;
  if (vendorId === undefined) throw new ConfigError('qr.vendorId', 'missing beside the product');
  if (productId === undefined) throw new ConfigError('qr.productId', 'missing beside the vendor');
  return `${base}:${formatId('qr.vendorId', vendorId)}:${formatId('qr.productId', productId)}`;
}

/** Throws ConfigError naming the field; the code is never part of the message. */
export function parseQr(text: string, options: SetupCodeOptions = {}): QrContent {
  const fields = text.split(':');
  const [prefix, version, discriminator = '', code = '', vendor, product] = fields;
  if (fields.length !== 4 && fields.length !== 6) throw new ConfigError('qr', 'expected 4 or 6 fields separated by colons');
  if (prefix !== 'MASH') throw new ConfigError('qr.prefix', "expected 'MASH'");
  if (version !== String(QR_VERSION)) throw new ConfigError('qr.version', `expected ${QR_VERSION}`);
  const content = { discriminator: parseDiscriminator(discriminator), code: parseSetupCode(code, options, 'qr.code') };
  if (vendor === undefined || product === undefined) return content;
  return { ...content, vendorId: parseId('qr.vendorId', vendor), productId: parseId('qr.productId', product) };
}

function parseDiscriminator(text: string): number {
  if (text.length < 1 || text.length > 4 || !isDecimal(text)) throw new ConfigError('qr.discriminator', 'expected decimal digits');
  const value = Number.parseInt(text, 10);
  requireRange('qr.discriminator', value, DISCRIMINATOR_MAXIMUM);
  return value;
}

function requireRange(where: string, value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) throw new ConfigError(where, `expected 0…${maximum}`);
}

function formatId(where: string, value: number): string {
  requireRange(where, value, 0xffff);
  return `0x${value.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** `0x%04X`; the digits' case does not matter. */
function parseId(where: string, text: string): number {
  const value = Number.parseInt(text.slice(2), 16);
  if (text.length !== 6 || Number.isNaN(value) || formatId(where, value).slice(2) !== text.slice(2).toUpperCase() || !text.startsWith('0x'))
    throw new ConfigError(where, "expected '0x' and 4 hexadecimal digits");
  return value;
}

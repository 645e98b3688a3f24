import { ConfigError } from '../errors.js';

export type ProfileName = 'draft' | 'reference';

/** Codes that cases read, with the registry's value and that of the Go reference (pics-registry; protocol.md, table of profiles). */
const DEFAULTS: Readonly<Record<string, Readonly<Record<ProfileName, string>>>> = {
  'MASH.S.TRANS.TLS_AES_128_GCM': { draft: '1', reference: '1' },
  'MASH.S.TRANS.TLS_AES_256_GCM': { draft: '1', reference: '1' },
  'MASH.S.TRANS.TLS_CHACHA20': { draft: '1', reference: '1' },
  'MASH.S.TRANS.ECDHE_P256': { draft: '1', reference: '1' },
  'MASH.S.TRANS.ECDHE_X25519': { draft: '1', reference: '1' },
  'MASH.S.TRANS.MAX_MSG_SIZE': { draft: '65536', reference: '8192' },
  'MASH.S.COMM.WINDOW_DURATION': { draft: '120', reference: '900' },
  'MASH.S.COMM.PASE_TIMEOUT': { draft: '30', reference: '5' },
  'MASH.S.COMM.CSR_TIMEOUT': { draft: '10', reference: '5' },
  'MASH.S.ZONE.MAX_ZONES': { draft: '5', reference: '2' },
};

/** What a device claims: codes with their values; where no file is given, the numbers of a profile, and everything is tried. */
export class Pics {
  readonly profile: ProfileName;
  readonly #given: ReadonlyMap<string, string> | undefined;
  readonly #numbers: Readonly<Record<string, string>>;

  /** `numbers`: known of this device in place of the profile's. */
  constructor(profile: ProfileName, given?: ReadonlyMap<string, string>, numbers: Readonly<Record<string, string>> = {}) {
    this.profile = profile;
    this.#given = given;
    this.#numbers = numbers;
  }

  /** Throws ConfigError where a file gives no whole number. */
  number(code: string): number {
    const text = this.text(code);
    const value = Number(text);
    if (text === undefined || text === '' || !Number.isInteger(value))
      throw new ConfigError(code, `a whole number is due, not '${text ?? ''}'`);
    return value;
  }

  text(code: string): string | undefined {
    return this.#given?.get(code) ?? this.#numbers[code] ?? DEFAULTS[code]?.[this.profile];
  }

  /** False where a file leaves the code out, or says 0. */
  claims(code: string): boolean {
    if (this.#given === undefined) return true;
    const value = this.#given.get(code);
    return value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
  }
}

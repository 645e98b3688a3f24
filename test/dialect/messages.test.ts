import { describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, decodeCbor, encodeCbor, Float, WideInteger } from '../../src/codec/cbor.js';
import { kindOf, ShapeError } from '../../src/codec/shape.js';
import { draftDialect, referenceDialect } from '../../src/dialect/dialect.js';
import type { ControllerMessage, DeviceMessage } from '../../src/dialect/messages.js';

const BYTES = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);

/** What one key of a message holds. */
type Field =
  | { readonly key: CborKey; readonly due: 'bytes'; readonly length?: number; readonly optional?: true; readonly where: string }
  | {
      readonly key: CborKey;
      readonly due: 'integer';
      readonly range: readonly [number, number];
      readonly optional?: true;
      readonly where: string;
    }
  | { readonly key: CborKey; readonly due: 'text'; readonly optional?: true; readonly where: string }
  | { readonly key: CborKey; readonly due: 'array of bytes'; readonly optional?: true; readonly where: string };

interface Specimen {
  readonly name: string;
  readonly dialect: 'draft' | 'reference';
  readonly from: 'controller' | 'device';
  readonly message: ControllerMessage | DeviceMessage;
  readonly wire: readonly (readonly [CborKey, CborValue])[];
  readonly fields: readonly Field[];
}

const U8 = [0, 255] as const;
const U32 = [0, 0xffff_ffff] as const;

/** Every message of both dialects with all of its keys (commissioning-pase §4.2, §4.3; protocol.md §2, §3). */
const SPECIMENS: readonly Specimen[] = [
  {
    name: 'PASE_X',
    dialect: 'draft',
    from: 'controller',
    message: { type: 'paseX', point: BYTES(33), context: BYTES(32) },
    wire: [
      [1, 'pase_x'],
      [2, BYTES(33)],
      [3, BYTES(32)],
    ],
    // Key 3: a context that is not one is a failed binding, not a malformed message (§2.4); see below.
    fields: [{ key: 2, due: 'bytes', where: 'pase_x key 2, X' }],
  },
  {
    name: 'PASE_Y',
    dialect: 'draft',
    from: 'device',
    message: { type: 'paseY', point: BYTES(33), verifier: BYTES(32) },
    wire: [
      [1, 'pase_y'],
      [2, BYTES(33)],
      [3, BYTES(32)],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'pase_y key 2, Y' },
      { key: 3, due: 'bytes', length: 32, where: 'pase_y key 3, verifier' },
    ],
  },
  {
    name: 'PASE_VERIFY',
    dialect: 'draft',
    from: 'controller',
    message: { type: 'paseVerify', verifier: BYTES(32) },
    wire: [
      [1, 'pase_verify'],
      [2, BYTES(32)],
    ],
    fields: [{ key: 2, due: 'bytes', length: 32, where: 'pase_verify key 2, verifier' }],
  },
  {
    name: 'PASE_CONFIRM',
    dialect: 'draft',
    from: 'device',
    message: { type: 'paseConfirm', status: 16, text: 'Device busy commissioning', retryAfter: 5000 },
    wire: [
      [1, 'pase_confirm'],
      [2, 16],
      [3, 'Device busy commissioning'],
      [4, 5000],
    ],
    fields: [
      { key: 2, due: 'integer', range: U8, where: 'pase_confirm key 2, status' },
      { key: 3, due: 'text', optional: true, where: 'pase_confirm key 3, text' },
      { key: 4, due: 'integer', range: [0, Number.MAX_SAFE_INTEGER], optional: true, where: 'pase_confirm key 4, retry after' },
    ],
  },
  {
    name: 'ATTESTATION_REQ',
    dialect: 'draft',
    from: 'controller',
    message: { type: 'attestationReq' },
    wire: [[1, 'attestation_req']],
    fields: [],
  },
  {
    name: 'ATTESTATION_RSP',
    dialect: 'draft',
    from: 'device',
    message: { type: 'attestationRsp', certificate: BYTES(500), chain: [BYTES(400), BYTES(300)] },
    wire: [
      [1, 'attestation_rsp'],
      [2, BYTES(500)],
      [3, [BYTES(400), BYTES(300)]],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'attestation_rsp key 2, certificate' },
      { key: 3, due: 'array of bytes', optional: true, where: 'attestation_rsp key 3, chain' },
    ],
  },
  {
    name: 'CSR_REQ',
    dialect: 'draft',
    from: 'controller',
    message: { type: 'csrReq', nonce: BYTES(32) },
    wire: [
      [1, 'csr_req'],
      [2, BYTES(32)],
    ],
    fields: [{ key: 2, due: 'bytes', length: 32, where: 'csr_req key 2, nonce' }],
  },
  {
    name: 'CSR_RSP',
    dialect: 'draft',
    from: 'device',
    message: { type: 'csrRsp', csr: BYTES(240), nonceHash: BYTES(16) },
    wire: [
      [1, 'csr_rsp'],
      [2, BYTES(240)],
      [3, BYTES(16)],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'csr_rsp key 2, CSR' },
      { key: 3, due: 'bytes', length: 16, optional: true, where: 'csr_rsp key 3, nonce hash' },
    ],
  },
  {
    name: 'CERT_INSTALL',
    dialect: 'draft',
    from: 'controller',
    message: { type: 'certInstall', certificate: BYTES(600), zoneCa: BYTES(550), zoneType: 3, priority: 2, adminToken: BYTES(150) },
    wire: [
      [1, 'cert_install'],
      [2, BYTES(600)],
      [3, BYTES(550)],
      [4, 3],
      [5, 2],
      [6, BYTES(150)],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'cert_install key 2, certificate' },
      { key: 3, due: 'bytes', where: 'cert_install key 3, Zone CA' },
      { key: 4, due: 'integer', range: [1, 4], where: 'cert_install key 4, zone type' },
      { key: 5, due: 'integer', range: [1, 4], where: 'cert_install key 5, priority' },
      { key: 6, due: 'bytes', optional: true, where: 'cert_install key 6, admin token' },
    ],
  },
  {
    name: 'CERT_ACK',
    dialect: 'draft',
    from: 'device',
    message: { type: 'certAck', status: 5, text: 'Invalid admin token' },
    wire: [
      [1, 'cert_ack'],
      [2, 5],
      [3, 'Invalid admin token'],
    ],
    fields: [
      { key: 2, due: 'integer', range: U8, where: 'cert_ack key 2, status' },
      { key: 3, due: 'text', optional: true, where: 'cert_ack key 3, text' },
    ],
  },
  ...(['controller', 'device'] as const).flatMap((from): Specimen[] => [
    {
      name: `close of a ${from}`,
      dialect: 'draft',
      from,
      message: { type: 'close', reason: 'done' },
      wire: [
        ['type', 'close'],
        ['reason', 'done'],
      ],
      fields: [
        { key: 'type', due: 'text', where: 'type' },
        { key: 'reason', due: 'text', optional: true, where: 'close reason' },
      ],
    },
    {
      name: `close_ack of a ${from}`,
      dialect: 'draft',
      from,
      message: { type: 'closeAck' },
      wire: [['type', 'close_ack']],
      fields: [{ key: 'type', due: 'text', where: 'type' }],
    },
  ]),
  {
    name: 'message 1, PASERequest',
    dialect: 'reference',
    from: 'controller',
    message: { type: 'paseX', point: BYTES(65), identity: BYTES(15) },
    wire: [
      [1, 1],
      [2, BYTES(65)],
      [3, BYTES(15)],
    ],
    // Key 3 is informational, and tolerated as a text; see below.
    fields: [{ key: 2, due: 'bytes', where: 'message 1 key 2, pA' }],
  },
  {
    name: 'message 2, PASEResponse',
    dialect: 'reference',
    from: 'device',
    message: { type: 'paseY', point: BYTES(65) },
    wire: [
      [1, 2],
      [2, BYTES(65)],
    ],
    fields: [{ key: 2, due: 'bytes', length: 65, where: 'message 2 key 2, pB' }],
  },
  {
    name: 'message 3, PASEConfirm',
    dialect: 'reference',
    from: 'controller',
    message: { type: 'paseVerify', verifier: BYTES(32) },
    wire: [
      [1, 3],
      [2, BYTES(32)],
    ],
    fields: [{ key: 2, due: 'bytes', length: 32, where: 'message 3 key 2, MACc' }],
  },
  {
    name: 'message 4, PASEComplete',
    dialect: 'reference',
    from: 'device',
    message: { type: 'paseConfirm', verifier: BYTES(32), status: 2 },
    wire: [
      [1, 4],
      [2, BYTES(32)],
      [3, 2],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'message 4 key 2, MACs' },
      { key: 3, due: 'integer', range: U8, where: 'message 4 key 3, error' },
    ],
  },
  {
    name: 'message 30, RenewalRequest',
    dialect: 'reference',
    from: 'controller',
    message: { type: 'csrReq', nonce: BYTES(32), zoneCa: BYTES(545) },
    wire: [
      [1, 30],
      [2, BYTES(32)],
      [3, BYTES(545)],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'message 30 key 2, nonce' },
      { key: 3, due: 'bytes', optional: true, where: 'message 30 key 3, Zone CA' },
    ],
  },
  {
    name: 'message 31, RenewalCSR',
    dialect: 'reference',
    from: 'device',
    message: { type: 'csrRsp', csr: BYTES(267), nonceHash: BYTES(16) },
    wire: [
      [1, 31],
      [2, BYTES(267)],
      [3, BYTES(16)],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'message 31 key 2, CSR' },
      { key: 3, due: 'bytes', length: 16, optional: true, where: 'message 31 key 3, nonce hash' },
    ],
  },
  {
    name: 'message 32, RenewalInstall',
    dialect: 'reference',
    from: 'controller',
    message: { type: 'certInstall', certificate: BYTES(585), sequence: 2 },
    wire: [
      [1, 32],
      [2, BYTES(585)],
      [3, 2],
    ],
    fields: [
      { key: 2, due: 'bytes', where: 'message 32 key 2, certificate' },
      { key: 3, due: 'integer', range: U32, optional: true, where: 'message 32 key 3, sequence' },
    ],
  },
  {
    name: 'message 33, RenewalAck',
    dialect: 'reference',
    from: 'device',
    message: { type: 'certAck', status: 3, sequence: 2 },
    wire: [
      [1, 33],
      [2, 3],
      [3, 2],
    ],
    fields: [
      { key: 2, due: 'integer', range: U8, where: 'message 33 key 2, status' },
      { key: 3, due: 'integer', range: U32, where: 'message 33 key 3, sequence' },
    ],
  },
  {
    name: 'message 255, Error',
    dialect: 'reference',
    from: 'device',
    message: { type: 'error', code: 5, text: 'zone slots full', retryAfter: 0 },
    wire: [
      [1, 255],
      [2, 5],
      [3, 'zone slots full'],
      [4, 0],
    ],
    fields: [
      { key: 2, due: 'integer', range: U8, where: 'message 255 key 2, code' },
      { key: 3, due: 'text', optional: true, where: 'message 255 key 3, text' },
      { key: 4, due: 'integer', range: [0, Number.MAX_SAFE_INTEGER], optional: true, where: 'message 255 key 4, retry after' },
    ],
  },
];

/** One value of every kind; lengths and ranges are added per field. */
const VALUES: readonly CborValue[] = [
  null,
  '',
  'text',
  new Uint8Array(0),
  BYTES(32),
  0,
  1,
  -1,
  true,
  false,
  [],
  [1],
  [BYTES(3), 'x'],
  [BYTES(3), null],
  new Map(),
  new Map([[1, 1]]),
  new Float(1),
  new Float(0.5),
  new WideInteger(false, 0xffff_ffff, 0xffff_ffff),
  new WideInteger(true, 0x20_0000, 0),
];

/** Wrong values of one field; a wrong length or range besides the kinds. `undefined` leaves the key out. */
function wrongValues(field: Field): (CborValue | undefined)[] {
  const wrong: (CborValue | undefined)[] = VALUES.filter((value) => !fits(field, value));
  if (field.optional !== true) wrong.push(undefined);
  if (field.due === 'bytes' && field.length !== undefined) wrong.push(BYTES(field.length - 1), BYTES(field.length + 1));
  if (field.due === 'integer') wrong.push(field.range[0] - 1, ...(field.range[1] === Number.MAX_SAFE_INTEGER ? [] : [field.range[1] + 1]));
  return wrong;
}

function fits(field: Field, value: CborValue): boolean {
  if (value === null) return field.optional === true;
  switch (field.due) {
    case 'bytes':
      return value instanceof Uint8Array && (field.length === undefined || value.length === field.length);
    case 'text':
      return typeof value === 'string' && field.key !== 'type';
    case 'integer':
      return typeof value === 'number' && value >= field.range[0] && value <= field.range[1];
    case 'array of bytes':
      return Array.isArray(value) && value.every((item) => item instanceof Uint8Array);
  }
}

function dialectOf(specimen: Specimen) {
  return specimen.dialect === 'draft' ? draftDialect : referenceDialect;
}

function decode(specimen: Specimen, value: CborValue): ControllerMessage | DeviceMessage {
  const dialect = dialectOf(specimen);
  return specimen.from === 'controller' ? dialect.decodeController(value) : dialect.decodeDevice(value);
}

function spoilt(specimen: Specimen, key: CborKey, value: CborValue | undefined): CborMap {
  const map = new Map<CborKey, CborValue>(specimen.wire);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  return map;
}

describe.each(SPECIMENS)('$dialect $name', (specimen) => {
  it('is written as the documents say', () => {
    expect(dialectOf(specimen).encode(specimen.message)).toEqual(new Map(specimen.wire));
  });

  it('comes back from the wire as it was', () => {
    expect(decode(specimen, decodeCbor(encodeCbor(dialectOf(specimen).encode(specimen.message))))).toEqual(specimen.message);
  });

  it('ignores keys that it does not know', () => {
    const extended = new Map<CborKey, CborValue>([...specimen.wire, [99, 'new'], [-1, [1]], ['x', null], [0x7fff_ffff, new Float(1)]]);
    expect(decode(specimen, extended)).toEqual(specimen.message);
  });

  const bothSay = specimen.message.type === 'close' || specimen.message.type === 'closeAck';
  it(bothSay ? 'is a message of the other side too' : 'is not a message of the other side', () => {
    const dialect = dialectOf(specimen);
    const other = specimen.from === 'controller' ? dialect.decodeDevice : dialect.decodeController;
    if (bothSay) expect(other(new Map(specimen.wire))).toEqual(specimen.message);
    else expect(() => other(new Map(specimen.wire))).toThrow(ShapeError);
  });

  for (const field of specimen.fields) {
    it.each(
      wrongValues(field).map(
        (value) => [value === undefined || value === null ? kindOf(value) : `${kindOf(value)} (${JSON.stringify(value)})`, value] as const,
      ),
    )(`${field.where}: %s is refused`, (_kind, value) => {
      expect(() => decode(specimen, spoilt(specimen, field.key, value))).toThrow(ShapeError);
      // A message that is told by its type says so; every other error names the field.
      if (field.key !== 'type') expect(() => decode(specimen, spoilt(specimen, field.key, value))).toThrow(field.where);
    });

    if (field.due === 'integer') {
      it(`${field.where}: the ends of its range are accepted`, () => {
        for (const value of field.range) expect(() => decode(specimen, spoilt(specimen, field.key, value))).not.toThrow();
      });
    }

    if (field.optional === true) {
      it(`${field.where}: absent and null are the same`, () => {
        expect(decode(specimen, spoilt(specimen, field.key, undefined))).toEqual(decode(specimen, spoilt(specimen, field.key, null)));
      });
    }
  }
});

describe('the type of a message', () => {
  const wrong: readonly (CborValue | undefined)[] = [...VALUES, undefined, 'PASE_X', 'pase_x ', 5, 29, 34, 254, 256, 'x'.repeat(10_000)];

  it.each(wrong.map((value) => [`${kindOf(value)} ${JSON.stringify(value)?.slice(0, 20)}`, value] as const))(
    '%s is none',
    (_kind, value) => {
      const map = new Map<CborKey, CborValue>([[2, BYTES(32)]]);
      if (value !== undefined) map.set(1, value);
      for (const dialect of [draftDialect, referenceDialect]) {
        if (dialect === referenceDialect && value === 1) continue;
        for (const decode of [dialect.decodeController, dialect.decodeDevice]) {
          expect(() => decode(map)).toThrow(ShapeError);
          // What a peer sent is quoted in part only.
          expect(() => decode(map)).toThrow(/^.{1,120}$/s);
        }
      }
    },
  );

  it.each(VALUES.filter((value) => !(value instanceof Map)).map((value) => [kindOf(value), value] as const))(
    '%s is no message',
    (_kind, value) => {
      for (const dialect of [draftDialect, referenceDialect])
        for (const decode of [dialect.decodeController, dialect.decodeDevice]) expect(() => decode(value)).toThrow('message: a map is due');
    },
  );
});

describe('tolerances', () => {
  it.each(VALUES.filter((value) => !(value instanceof Uint8Array)))('a context of PASE_X that is %o is an absent one (§2.4)', (value) => {
    const x = new Map<CborKey, CborValue>([
      [1, 'pase_x'],
      [2, BYTES(33)],
      [3, value],
    ]);
    expect(draftDialect.decodeController(x)).toEqual({ type: 'paseX', point: BYTES(33) });
  });

  it('points of PASE_X and message 1 have any length here: the curve judges them (TC-PASE-4)', () => {
    for (const [dialect, type] of [
      [draftDialect, 'pase_x'],
      [referenceDialect, 1],
    ] as const)
      for (const length of [0, 1, 32, 33, 64, 65, 66])
        expect(
          dialect.decodeController(
            new Map<CborKey, CborValue>([
              [1, type],
              [2, BYTES(length)],
            ]),
          ),
        ).toEqual({ type: 'paseX', point: BYTES(length) });
  });

  it('the identity of message 1 may be bytes, a text or absent, and nothing else', () => {
    const request = (identity?: CborValue) =>
      referenceDialect.decodeController(
        new Map<CborKey, CborValue>([[1, 1], [2, BYTES(65)], ...(identity === undefined ? [] : [[3, identity] as const])]),
      );
    expect(request(BYTES(15))).toMatchObject({ identity: BYTES(15) });
    expect(request('mash-controller')).toMatchObject({ identity: new Uint8Array(0) });
    expect(request(null)).toEqual(request());
    for (const identity of [1, true, [1], new Map(), new Float(1)]) expect(() => request(identity)).toThrow('message 1 key 3, identity');
  });

  it('key 4 of message 255 is 0 where it is missing', () => {
    expect(
      referenceDialect.decodeDevice(
        new Map([
          [1, 255],
          [2, 1],
        ]),
      ),
    ).toEqual({ type: 'error', code: 1, retryAfter: 0 });
  });

  it('a certificate chain that is left out is empty', () => {
    const response = new Map<CborKey, CborValue>([
      [1, 'attestation_rsp'],
      [2, new Uint8Array(0)],
    ]);
    expect(draftDialect.decodeDevice(response)).toEqual({ type: 'attestationRsp', certificate: new Uint8Array(0), chain: [] });
  });
});

describe('what a dialect writes', () => {
  it('an optional field that is absent has no key', () => {
    expect(draftDialect.encode({ type: 'paseConfirm', status: 0 })).toEqual(
      new Map<CborKey, CborValue>([
        [1, 'pase_confirm'],
        [2, 0],
      ]),
    );
    expect(draftDialect.encode({ type: 'certAck', status: 0 })).toEqual(
      new Map<CborKey, CborValue>([
        [1, 'cert_ack'],
        [2, 0],
      ]),
    );
    expect(referenceDialect.encode({ type: 'csrRsp', csr: BYTES(9) })).toEqual(
      new Map<CborKey, CborValue>([
        [1, 31],
        [2, BYTES(9)],
      ]),
    );
  });

  it('a key behind an absent one keeps its number', () => {
    expect(draftDialect.encode({ type: 'paseConfirm', status: 16, retryAfter: 9 })).toEqual(
      new Map<CborKey, CborValue>([
        [1, 'pase_confirm'],
        [2, 16],
        [4, 9],
      ]),
    );
  });

  it('reference: keys that mash-go always sends are always there', () => {
    expect(referenceDialect.encode({ type: 'error', code: 255, text: 'internal error', retryAfter: 0 }).get(4)).toBe(0);
    expect(referenceDialect.encode({ type: 'certAck', status: 0 }).get(3)).toBe(0);
    expect(referenceDialect.encode({ type: 'paseConfirm', status: 2 }).get(2)).toEqual(new Uint8Array(32));
  });

  it('a close has a reason in the draft, and is message 3 in the reference', () => {
    expect(draftDialect.encode({ type: 'close' })).toEqual(
      new Map([
        ['type', 'close'],
        ['reason', ''],
      ]),
    );
    expect(referenceDialect.encode({ type: 'close' })).toEqual(new Map([[1, 3]]));
    expect(referenceDialect.encode({ type: 'closeAck' })).toEqual(new Map([[1, 3]]));
  });

  it('what a dialect has no words for is a bug of ours', () => {
    expect(() => draftDialect.encode({ type: 'error', code: 1, retryAfter: 0 })).toThrow(TypeError);
    expect(() => referenceDialect.encode({ type: 'attestationReq' })).toThrow(TypeError);
    expect(() => referenceDialect.encode({ type: 'attestationRsp', certificate: BYTES(1), chain: [] })).toThrow(TypeError);
  });
});

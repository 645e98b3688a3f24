import { describe, expect, it } from 'vitest';
import { type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { attributeName, attributeNumber, featureName, featureNumber, namedValues, plain } from '../../src/controller/names.js';
import { DEVICE_INFO } from '../../src/features/device-info-table.js';

describe('names', () => {
  it('of features go both ways, in any case; numbers pass', () => {
    expect([featureNumber('DeviceInfo'), featureNumber('energycontrol'), featureNumber('0x0A'), featureNumber('200')]).toEqual([
      1, 5, 10, 200,
    ]);
    expect([featureName(1), featureName(10), featureName(200)]).toEqual(['DeviceInfo', 'TestControl', '0xc8']);
    expect([featureNumber('Device'), featureNumber('256'), featureNumber('-1'), featureNumber('')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('of DeviceInfo are those of the device', () => {
    for (const { id, name } of DEVICE_INFO.attributes) {
      expect(attributeName(1, id)).toBe(name);
      expect(attributeNumber(1, name.toUpperCase())).toBe(id);
    }
  });

  it('of attributes without a name are their numbers', () => {
    expect([attributeName(1, 99), attributeName(10, 1), attributeName(9, 0xfffb)]).toEqual(['99', '1', 'attributeList']);
    expect([attributeNumber(9, '1'), attributeNumber(9, 'featureMap'), attributeNumber(9, '65536')]).toEqual([1, 0xfffc, undefined]);
  });
});

describe('values as JSON', () => {
  it('keeps what JSON cannot say as text', () => {
    const value: CborValue = new Map<number | string, CborValue>([
      [1, Uint8Array.of(0xab, 1)],
      ['two', new WideInteger(false, 0xffff_ffff, 0xffff_ffff)],
      [3, [new WideInteger(true, 0xffff_ffff, 0xffff_ffff), new Float(1.5), null, true, 'text', -7]],
    ]);
    expect(plain(value)).toEqual({ 1: 'ab01', two: '18446744073709551615', 3: ['-18446744073709551616', 1.5, null, true, 'text', -7] });
  });

  it('names attributes, endpoint types and features', () => {
    const endpoint: CborValue = new Map<number, CborValue>([
      [1, 1],
      [2, 5],
      [3, 'EV Charger'],
      [4, [2, 5, 0xc8]],
    ]);
    const values = new Map<number, CborValue>([
      [4, 'S1'],
      [20, [endpoint, 'odd']],
      [99, 1],
    ]);
    expect(namedValues(1, values)).toEqual({
      serialNumber: 'S1',
      endpoints: [{ id: 1, type: 'EV_CHARGER', label: 'EV Charger', features: ['Status', 'EnergyControl', '0xc8'] }, 'odd'],
      99: 1,
    });
  });
});

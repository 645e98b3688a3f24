import type { FeatureSchema, ValueType } from '../model/schema.js';
import {
  arrayOf,
  attribute,
  command,
  enumeration,
  field,
  int32,
  int64,
  optional,
  struct,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
} from '../model/table.js';

export const SignalSource = { GRID: 0, ENERGY_SUPPLIER: 1, AGGREGATOR: 2, LOCAL_EMS: 3 } as const;

const priceSlot: ValueType = struct('PriceSlot', [
  field('duration', uint32),
  field('price', int32),
  optional('priceLevel', uint8),
  optional('renewablePercent', uint8),
  optional('co2Intensity', uint16),
]);
const constraintSlot: ValueType = struct('ConstraintSlot', [
  field('duration', uint32),
  optional('consumptionMax', int64),
  optional('consumptionMin', int64),
  optional('productionMax', int64),
  optional('productionMin', int64),
]);
const forecastSlot: ValueType = struct('ForecastSlot', [
  field('duration', uint32),
  field('forecastPower', int64),
  optional('forecastEnergy', int64),
]);

/** Signals, feature 0x08: time-slotted price, constraint and forecast signals from controller to device. */
export const SIGNALS: FeatureSchema = {
  id: 0x08,
  name: 'Signals',
  attributes: [
    attribute(1, 'signalSource', enumeration(SignalSource), { nullable: true }),
    attribute(2, 'startTime', uint64, { nullable: true }),
    attribute(3, 'validUntil', uint64, { nullable: true }),
    attribute(10, 'priceSlots', arrayOf(priceSlot), { nullable: true }),
    attribute(20, 'constraintSlots', arrayOf(constraintSlot), { nullable: true }),
    attribute(30, 'forecastSlots', arrayOf(forecastSlot), { nullable: true }),
  ],
  commands: [
    command(
      1,
      'sendPriceSignal',
      [
        field('source', enumeration(SignalSource)),
        field('startTime', uint64),
        optional('validUntil', uint64),
        field('slots', arrayOf(priceSlot)),
      ],
      { mandatory: true },
    ),
    command(
      2,
      'sendConstraintSignal',
      [
        field('source', enumeration(SignalSource)),
        field('startTime', uint64),
        optional('validUntil', uint64),
        field('slots', arrayOf(constraintSlot)),
      ],
      { mandatory: true },
    ),
    command(3, 'sendForecastSignal', [
      field('source', enumeration(SignalSource)),
      field('startTime', uint64),
      optional('validUntil', uint64),
      field('slots', arrayOf(forecastSlot)),
    ]),
    command(4, 'clearSignals', [optional('signalType', text)], { response: [field('cleared', uint8)] }),
  ],
};

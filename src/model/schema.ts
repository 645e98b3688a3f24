/** The tables of the specification: what a feature can have. Validation and encoding follow from them alone. */
export type IntegerName = 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'int16' | 'int32' | 'int64';

/** The names of an enumeration by value. */
export type EnumSchema = Readonly<Record<string, number>>;

export type ValueType =
  | {
      readonly kind: 'integer';
      readonly name: IntegerName;
      readonly minimum?: number;
      readonly maximum?: number;
      readonly values?: EnumSchema;
      /** Of a value within a map, a struct or a command; that of an attribute stands beside its type. */
      readonly unit?: string;
      /** False: no quantity, so all 64 bits are in its range. */
      readonly measures?: false;
    }
  | { readonly kind: 'bool' }
  /** `maximum`: bytes of UTF-8. */
  | { readonly kind: 'string'; readonly maximum?: number }
  /** Small integer → integer, sent with integer keys; the names of `keys` are accepted too (features.md, "Forms"). */
  | { readonly kind: 'map'; readonly keys: EnumSchema; readonly value: ValueType; readonly nullableValues?: boolean }
  /** Without `items` the elements are described by the feature itself. */
  | { readonly kind: 'array'; readonly items?: ValueType }
  /** A map with the fields' names as text keys; an absent field is null. */
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly FieldSchema[] };

/** A field of a struct, a parameter of a command, or a field of its result. */
export interface FieldSchema {
  readonly name: string;
  readonly type: ValueType;
  /** May be absent or null. */
  readonly optional?: boolean;
}

export interface AttributeSchema {
  /** 1…0xFEFF. */
  readonly id: number;
  readonly name: string;
  readonly type: ValueType;
  /** `mW`, `mA`, `s`, … */
  readonly unit?: string;
  readonly access: 'readOnly' | 'readWrite';
  readonly nullable: boolean;
  /** Listed by every instance of the feature. */
  readonly mandatory: boolean;
  readonly default?: number | string | boolean;
}

export interface CommandSchema {
  readonly id: number;
  readonly name: string;
  /** Accepted by every instance of the feature. */
  readonly mandatory: boolean;
  /** The attribute that says whether it is accepted at all. */
  readonly flag?: string;
  /** In their order: a parameter's integer key is its position, from 1. */
  readonly parameters: readonly FieldSchema[];
  readonly response: readonly FieldSchema[];
}

export interface FeatureSchema {
  /** 1…255. */
  readonly id: number;
  readonly name: string;
  readonly attributes: readonly AttributeSchema[];
  readonly commands: readonly CommandSchema[];
}

import { Ajv, type ValidateFunction } from 'ajv';

/** As much of JSON Schema draft 7 as the published schemas use. */
export interface Schema {
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  allOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  maxProperties?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
}

/** Keywords that the generator of values knows; a schema with another one is not generated wrongly. */
const known = new Set([
  ...['type', 'const', 'enum', 'allOf', 'anyOf', 'oneOf', 'properties', 'required', 'items'],
  ...['additionalProperties', 'propertyNames', 'maxProperties', 'minItems', 'maxItems'],
  ...['pattern', 'format', 'minLength', 'maxLength', 'minimum', 'maximum'],
  ...['$schema', 'description', 'default'],
]);

/** Keywords of a published schema that nothing here understands. */
export const unknownKeywords = (schema: unknown): string[] => {
  if (Array.isArray(schema)) return schema.flatMap(unknownKeywords);
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]: [string, unknown]) => {
    if (!known.has(keyword)) return [keyword];
    if (keyword === 'default' || keyword === 'const' || keyword === 'enum') return [];
    return keyword === 'properties'
      ? Object.values(value as object).flatMap(unknownKeywords)
      : unknownKeywords(value);
  });
};

/** Judges by a JSON Schema alone, with code that knows nothing of ours. */
export interface Oracle {
  accepts(schema: Schema, value: unknown): boolean;
}

/** Formats other than `uri` are annotations: the pattern that stands beside them decides. */
export const createOracle = (): Oracle => {
  const ajv = new Ajv({
    allowUnionTypes: true,
    strict: false,
    formats: { uri: (text: string) => URL.canParse(text) },
    // Of the formats that it does not know.
    logger: false,
  });
  const compiled = new WeakMap<Schema, ValidateFunction>();
  return {
    accepts: (schema, value) => {
      const validate = compiled.get(schema) ?? ajv.compile(schema);
      compiled.set(schema, validate);
      return validate(value);
    },
  };
};

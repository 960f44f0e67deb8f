/**
 * What comes of checking a value with a schema.
 *
 * @module
 */

/** One fault of a value. */
export interface SchemaFault {
  /** Where it is: `filters.dates[0].from`, `["a b"]`; empty for the whole value. */
  readonly path: string;
  /** What is wrong and what to write instead, for a model. It may name what the schema and the value name. */
  readonly message: string;
}

/**
 * What comes of a check: the value fits; it does not, with the first faults; or nothing can be said, and why. The reason
 * is a clause that holds no text of the schema or the value.
 */
export type SchemaVerdict =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly faults: readonly SchemaFault[] }
  | { readonly kind: "unusable"; readonly reason: string };

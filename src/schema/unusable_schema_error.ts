/**
 * Why a schema cannot be used to check a value.
 *
 * @module
 */

/** Ends a check without a verdict; never leaves this folder. Its message holds no text of the schema or the value. */
export class UnusableSchemaError extends Error {
  /**
   * Creates an error.
   *
   * @param reason The reason as a clause: `its $schema is not a known one`.
   */
  constructor(reason: string) {
    super(reason);
    this.name = "UnusableSchemaError";
  }
}

/**
 * The runtimes that the tests run on.
 *
 * @module
 */

/** Whether this is Deno 2.5, the oldest that is served on, where it does something else than those that came after. */
export const IS_DENO_2_5: boolean = Deno.version.deno.startsWith("2.5.");

/**
 * What of a text is not seen, or changes what stands beside it.
 *
 * @module
 */

/**
 * Controls, line feed and tab included, and what changes the direction or the identity of the text beside it. To be
 * given to `replaceAll()`.
 */
export const UNSEEN: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

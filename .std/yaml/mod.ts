// The names of @std/yaml that this repository uses, typed, over the standard library's own code as npm carries it.
import * as std from "npm:deno-std@1.3.4/yaml/mod.js";

export const parse: (
  content: string,
  options?: { schema?: "core" | "default" | "failsafe" | "json" | "extended"; allowDuplicateKeys?: boolean },
) => unknown = std.parse;
export const stringify: (data: unknown, options?: { lineWidth?: number; indent?: number }) => string = std.stringify;

/**
 * The keywords that look into arrays.
 *
 * @module
 */

import type { JsonValue } from "../protocol.ts";
import { applyToMember, type Evaluation, type Frame, type Rule, type SchemaNode } from "./evaluation.ts";
import { countText } from "./fault_text.ts";
import { beside, readNumber, readSchema, readSchemas, type RuleContext, type RuleMakers } from "./rule_maker.ts";
import { toCanonicalText } from "./value_rules.ts";

const CHARS_PER_STEP = 8;

type ArrayRule = (evaluation: Evaluation, frame: Frame, items: readonly JsonValue[]) => void;

/** Looks at arrays only. */
function forArrays(rule: ArrayRule): Rule {
  return (evaluation, frame) => {
    if (Array.isArray(frame.value)) rule(evaluation, frame, frame.value);
  };
}

function checkItem(evaluation: Evaluation, node: SchemaNode, frame: Frame, index: number): void {
  if (node.forbids) frame.fail("Not allowed here: leave it out", { place: { parent: frame.place, key: index } });
  else frame.takeFrom(applyToMember(evaluation, node, frame, index));
}

/** One schema for each of the first items. */
function prefixRule(value: JsonValue, context: RuleContext, keyword: string): Rule {
  const nodes = readSchemas(value, keyword).map((schema) => context.node(schema));
  return forArrays((evaluation, frame, items) => {
    for (const [index, node] of nodes.slice(0, items.length).entries()) {
      checkItem(evaluation, node, frame, index);
      if (context.tracksEvaluated) frame.see(index);
    }
  });
}

/** One schema for all items from one on. */
function restRule(node: SchemaNode, first: number, context: RuleContext): Rule {
  return forArrays((evaluation, frame, items) => {
    for (let index = first; index < items.length; index++) {
      evaluation.spend(1);
      checkItem(evaluation, node, frame, index);
      if (context.tracksEvaluated) frame.see(index);
    }
  });
}

/** The keywords of this file. */
export const ARRAY_RULES: RuleMakers = {
  prefixItems: prefixRule,
  items: (value, context, keyword) => {
    if (Array.isArray(value) && context.dialect.itemsMayBeList) return prefixRule(value, context, keyword);
    const prefix = context.dialect.keywords.has("prefixItems") ? beside(context, "prefixItems") : undefined;
    return restRule(context.node(readSchema(value, keyword)), Array.isArray(prefix) ? prefix.length : 0, context);
  },
  additionalItems: (value, context, keyword) => {
    const items = beside(context, "items");
    const node = context.node(readSchema(value, keyword));
    return Array.isArray(items) ? restRule(node, items.length, context) : undefined;
  },
  contains: (value, context, keyword) => {
    const node = context.node(readSchema(value, keyword));
    const { dialect } = context;
    const limitOf = (name: string, otherwise: number) =>
      dialect.keywords.has(name) ? readNumber(beside(context, name) ?? otherwise, name, 0) : otherwise;
    const min = limitOf("minContains", 1);
    const max = limitOf("maxContains", Number.MAX_VALUE);
    return forArrays((evaluation, frame, items) => {
      let [sure, unsure] = [0, 0];
      for (const index of items.keys()) {
        const found = applyToMember(evaluation, node, frame, index);
        if (found.failed) continue;
        found.unsure ? unsure++ : sure++;
        if (dialect.containsEvaluates && context.tracksEvaluated) frame.see(index);
      }
      const wish = node.wanted === undefined ? "of the wanted kind" : `that ${min === 1 ? "is" : "are"} ${node.wanted}`;
      if (sure + unsure < min) frame.fail(`Expected at least ${countText(min, "item")} ${wish}: got ${sure + unsure}`);
      if (sure > max) frame.fail(`Expected at most ${countText(max, "item")} ${wish}: got ${sure}`);
      if (unsure > 0) frame.unsure = true;
    });
  },
  unevaluatedItems: (value, context, keyword) => {
    const node = context.node(readSchema(value, keyword));
    return forArrays((evaluation, frame, items) => {
      for (const index of items.keys()) {
        evaluation.spend(1);
        if (!frame.hasSeen(index)) checkItem(evaluation, node, frame, index);
        frame.see(index);
      }
    });
  },
  uniqueItems: (value) => {
    if (value !== true) return undefined;
    return forArrays((evaluation, frame, items) => {
      const firstOf = new Map<string, number>();
      for (const [index, item] of items.entries()) {
        const text = toCanonicalText(item);
        evaluation.spend(1 + text.length / CHARS_PER_STEP);
        const first = firstOf.get(text);
        if (first === undefined) firstOf.set(text, index);
        else frame.fail(`The same as item ${first}: leave it out`, { place: { parent: frame.place, key: index } });
      }
    });
  },
};

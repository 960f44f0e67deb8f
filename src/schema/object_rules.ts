/**
 * The keywords that look into objects.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import {
  applyInPlace,
  applyToMember,
  type Evaluation,
  type Frame,
  type Rule,
  type SchemaNode,
  toWanted,
} from "./evaluation.ts";
import { listTexts, quoteText } from "./fault_text.ts";
import { beside, readMap, readNames, readSchema, type RuleContext, type RuleMakers } from "./rule_maker.ts";

type ObjectRule = (
  evaluation: Evaluation,
  frame: Frame & { readonly value: JsonObject },
) => void;

/** Looks at objects only. */
function forObjects(rule: ObjectRule): Rule {
  return (evaluation, frame) => {
    if (isObjectFrame(frame)) rule(evaluation, frame);
  };
}

function isObjectFrame(frame: Frame): frame is Frame & { readonly value: JsonObject } {
  return isJsonObject(frame.value);
}

function toNodes(value: JsonValue, context: RuleContext, keyword: string): ReadonlyMap<string, SchemaNode> {
  return new Map(readMap(value, keyword).map(([key, schema]) => [key, context.node(readSchema(schema, keyword))]));
}

/** The keys that a schema names: what to write where another one is not allowed. */
function toAllowed(context: RuleContext): string {
  const named = beside(context, "properties");
  const names = isJsonObject(named) ? Object.keys(named) : [];
  const patterns = beside(context, "patternProperties");
  const wishes = names.map((name) => quoteText(name));
  if (isJsonObject(patterns) && Object.keys(patterns).length > 0) wishes.push("keys that match its patterns");
  return wishes.length === 0 ? "none is allowed here" : `allowed are ${listTexts(wishes)}`;
}

function forbidOrCheck(
  evaluation: Evaluation,
  node: SchemaNode,
  frame: Frame,
  key: string,
  message: string,
): void {
  if (node.forbids) frame.fail(message, { place: { parent: frame.place, key } });
  else frame.takeFrom(applyToMember(evaluation, node, frame, key));
}

/** Says which keys have to be there where another one is. */
function requireBeside(trigger: string, names: readonly string[]): ObjectRule {
  return (evaluation, frame) => {
    if (!Object.hasOwn(frame.value, trigger)) return;
    evaluation.spend(names.length);
    for (const key of names) {
      if (Object.hasOwn(frame.value, key)) continue;
      frame.fail(`Missing: needed along with ${quoteText(trigger)}`, { place: { parent: frame.place, key } });
    }
  };
}

function checkBeside(trigger: string, node: SchemaNode): ObjectRule {
  return (evaluation, frame) => {
    if (Object.hasOwn(frame.value, trigger)) frame.join(applyInPlace(evaluation, node, frame));
  };
}

function dependencyRule(dependencies: readonly ObjectRule[]): Rule {
  return forObjects((evaluation, frame) => {
    evaluation.spend(dependencies.length);
    for (const dependency of dependencies) dependency(evaluation, frame);
  });
}

/** The keywords of this file. */
export const OBJECT_RULES: RuleMakers = {
  required: (value, context, keyword) => {
    const properties = beside(context, "properties");
    const wanted = readNames(value, keyword).map((key) => {
      const schema = isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key]! : true;
      return { key, node: context.node(readSchema(schema, "properties")) };
    });
    return forObjects((evaluation, frame) => {
      evaluation.spend(wanted.length);
      for (const { key, node } of wanted) {
        if (Object.hasOwn(frame.value, key)) continue;
        const wish = toWanted(node);
        const message = wish === undefined ? "Missing: add it" : `Missing: add it as ${wish}`;
        frame.fail(message, { place: { parent: frame.place, key } });
      }
    });
  },
  properties: (value, context, keyword) => {
    const nodes = toNodes(value, context, keyword);
    return forObjects((evaluation, frame) => {
      for (const key of Object.keys(frame.value)) {
        evaluation.spend(1);
        const node = nodes.get(key);
        if (node === undefined) continue;
        forbidOrCheck(evaluation, node, frame, key, "Not allowed here: leave it out");
        if (context.tracksEvaluated) frame.see(key);
      }
    });
  },
  patternProperties: (value, context, keyword) => {
    const nodes = readMap(value, keyword).map(([source, schema]) => ({
      search: context.pattern(source),
      node: context.node(readSchema(schema, keyword)),
    }));
    return forObjects((evaluation, frame) => {
      for (const key of Object.keys(frame.value)) {
        for (const { search, node } of nodes) {
          evaluation.spend(1);
          const found = search(key, evaluation);
          if (found === undefined) frame.unsure = true;
          if (found === true) forbidOrCheck(evaluation, node, frame, key, "Not allowed here: leave it out");
          if (found !== false && context.tracksEvaluated) frame.see(key);
        }
      }
    });
  },
  additionalProperties: (value, context, keyword) => {
    const node = context.node(readSchema(value, keyword));
    const properties = beside(context, "properties");
    const named = new Set(isJsonObject(properties) ? Object.keys(properties) : []);
    const patterns = Object.keys(beside(context, "patternProperties") ?? {}).map((source) => context.pattern(source));
    const message = `Unknown key: ${toAllowed(context)}`;
    return forObjects((evaluation, frame) => {
      for (const key of Object.keys(frame.value)) {
        evaluation.spend(1);
        if (named.has(key)) continue;
        const found = patterns.map((search) => search(key, evaluation));
        if (found.includes(true)) continue;
        if (found.includes(undefined)) frame.unsure = true;
        else forbidOrCheck(evaluation, node, frame, key, message);
        if (context.tracksEvaluated) frame.see(key);
      }
    });
  },
  unevaluatedProperties: (value, context, keyword) => {
    const node = context.node(readSchema(value, keyword));
    return forObjects((evaluation, frame) => {
      for (const key of Object.keys(frame.value)) {
        evaluation.spend(1);
        if (!frame.hasSeen(key)) forbidOrCheck(evaluation, node, frame, key, "Unknown key: leave it out");
        frame.see(key);
      }
    });
  },
  propertyNames: (value, context, keyword) => {
    const node = context.node(readSchema(value, keyword));
    return forObjects((evaluation, frame) => {
      for (const key of Object.keys(frame.value)) {
        const place = { parent: frame.place, key };
        const name = evaluation.apply(node, key, place, frame.scope);
        if (name.unsure) frame.unsure = true;
        const why = name.faults[0];
        if (why !== undefined) frame.fail(`Key cannot be used: ${lowerFirst(why.message)}`, { place });
      }
    });
  },
  dependentRequired: (value, _context, keyword) =>
    dependencyRule(readMap(value, keyword).map(([key, names]) => requireBeside(key, readNames(names, keyword)))),
  dependentSchemas: (value, context, keyword) =>
    dependencyRule([...toNodes(value, context, keyword)].map(([key, node]) => checkBeside(key, node))),
  dependencies: (value, context, keyword) =>
    dependencyRule(
      readMap(value, keyword).map(([key, wish]) =>
        Array.isArray(wish)
          ? requireBeside(key, readNames(wish, keyword))
          : checkBeside(key, context.node(readSchema(wish, keyword)))
      ),
    ),
};

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
